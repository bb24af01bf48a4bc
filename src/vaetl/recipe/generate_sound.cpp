#include "vaetl/recipe/generate_sound.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/makes_sound.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/data/transforms/mapping.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/sound.hpp"
#include "vaetl/recipe/pixels.hpp"

namespace vaetl::recipe {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t clips_at_once = 16;  // bounds the memory of their spectrograms

// The only transform besides the note on how files were read, where it makes sound; null otherwise.
std::shared_ptr<Transform> sound_transform(const Model& model) {
  if (model.preprocess().is_null()) return nullptr;
  std::vector<Spec<Transform>> specs;
  Codec<std::vector<Spec<Transform>>>::read(model.preprocess(), "preprocess", specs, {});
  std::erase_if(specs, [](const auto& spec) { return spec.name == transforms::Read::name; });
  if (specs.size() != 1) return nullptr;
  const auto transform = registry<Transform>().make(specs[0], "preprocess");
  return dynamic_cast<const MakesSound*>(transform.get()) != nullptr ? transform : nullptr;
}

// Samples of an example as its reader made them; 0: not told.
std::int64_t samples_read(const Model& model, std::int64_t rate) {
  const Json reader = Preprocess::from_json(model.preprocess()).reader();
  const double seconds = reader.is_object() ? reader.value("seconds", 0.0) : 0;
  return std::llround(seconds * static_cast<double>(rate));
}

// Makes clips some at a time; the same whatever parts are asked for.
class ClipMaker {
 public:
  ClipMaker(const Model& model, std::uint64_t seed)
      : transform_(sound_transform(model)), phases_(make_generator(random_key(seed, Purpose::evaluate, 2))) {
    if (!transform_) {
      throw ConfigError({"model " + quote(model.spec().name),
                         "weights of a model that was trained on pictures of sound", "another",
                         "train one on sound:FOLDER"});
    }
    samples_ = samples_read(model, rate());
  }
  std::int64_t rate() const { return sound().rate(); }
  at::Tensor operator()(const at::Tensor& pictures) {
    if (!pictures.isfinite().all().item<bool>()) {
      throw DataError({"sound", "finite values from the model", "NaN or infinity", {}});
    }
    return sound().sound_of(pictures, samples_, phases_);
  }

 private:
  const MakesSound& sound() const { return dynamic_cast<const MakesSound&>(*transform_); }

  std::shared_ptr<Transform> transform_;
  at::Generator phases_;
  std::int64_t samples_ = 0;
};

template <class Take>
void for_parts(const at::Tensor& values, const Take& take) {
  for (std::int64_t from = 0; from < values.size(0); from += clips_at_once) {
    take(from, values.slice(0, from, from + clips_at_once));
  }
}

// A class's name as one of a folder.
std::string folder_name(const std::vector<std::string>& classes, std::int64_t label) {
  std::string name = static_cast<std::size_t>(label) < classes.size() ? classes[static_cast<std::size_t>(label)] : "";
  for (char& c : name) {
    if (c == '/' || static_cast<unsigned char>(c) < ' ') c = '_';
  }
  return name.empty() || name[0] == '.' ? std::to_string(label) : name;
}

}  // namespace

bool sees_sound(const Model& model) { return sound_transform(model) != nullptr; }

Clips clips_of(const Model& model, const at::Tensor& pictures, std::uint64_t seed) {
  ClipMaker make(model, seed);
  std::vector<at::Tensor> parts;
  for_parts(pictures, [&](std::int64_t, const at::Tensor& some) { parts.push_back(make(some)); });
  return {at::cat(parts), make.rate()};
}

void write_sound(const fs::path& file, const Model& model, const Generated& made, std::uint64_t seed) {
  const Clips clips = clips_of(model, made.values, seed);
  write_wav(file, to_int16(clips.samples.flatten()), clips.rate);
}

void write_sounds(const fs::path& folder, const Model& model, const Generated& made,
                  const std::vector<std::string>& classes, std::uint64_t seed) {
  check_new_folder(folder);
  ClipMaker make(model, seed);
  const std::size_t digits = std::to_string(made.values.size(0) - 1).size();
  AtomicFolder files(folder);
  for_parts(made.values, [&](std::int64_t from, const at::Tensor& some) {
    const at::Tensor clips = to_int16(make(some));
    for (std::int64_t i = 0; i < clips.size(0); ++i) {
      fs::path into = files.path();
      if (made.condition.defined()) into /= folder_name(classes, made.condition[from + i].item<std::int64_t>());
      make_folder(into);
      write_wav(into / fmt::format("{:0{}}.wav", from + i, digits), clips[i], make.rate());
    }
  });
  files.commit();
}

}  // namespace vaetl::recipe
