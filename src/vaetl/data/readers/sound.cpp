#include "vaetl/data/readers/sound.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/parallel.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/labelled_files.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/io/sound.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;

constexpr Part sound_parts[] = {Part::train, Part::validation, Part::test};
constexpr const char* part_names[] = {"train", "validation", "test"};

const FileKind sound_files = {
    .one = "a WAV or FLAC file",
    .all = "sound (.wav, .flac)",
    .read = {".wav", ".wave", ".flac"},
    .others = {".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".wma", ".au"}};

struct Clip {
  ExampleFile file = {};
  std::int64_t label = -1;
  SoundInfo info = {};
  std::string sha256 = {};
  std::optional<Problem> problem = {};
};

// How every file becomes an example.
struct Shape {
  std::int64_t rate = 0, samples = 0;
};

template <class Use>
void with_bytes(const ExampleFile& file, const Use& use) {
  std::shared_ptr<const std::string> bytes;
  if (auto problem = load_file(file, bytes)) throw DataError(*std::move(problem));
  use(*bytes);
}

// `work` for every item that has no problem yet, on LibTorch's threads; what it throws becomes the item's problem.
void for_each_clip(std::vector<Clip>& items, const std::function<void(Clip&)>& work) {
  parallel_for(std::ssize(items), [&](std::int64_t i) {
    Clip& item = items[static_cast<std::size_t>(i)];
    if (item.problem) return;
    try {
      work(item);
    } catch (const DataError& error) {
      item.problem = error.problem;
    }
  });
}

void settle(std::vector<Clip>& items, const std::string& where, Skips& skips) {
  for (const Clip& item : items) {
    if (item.problem) skips.add(*item.problem);
  }
  std::erase_if(items, [](const Clip& item) { return item.problem.has_value(); });
  skips.check_left(std::ssize(items), where);
}

// int16 (S′): one channel at that rate.
at::Tensor read_mono(const ExampleFile& file, std::int64_t rate) {
  at::Tensor mono;
  with_bytes(file, [&](const std::string& bytes) {
    const Sound sound = decode_sound(bytes, file.where);
    mono = to_int16(resample(sound.samples.mean(0, /*keepdim=*/true), sound.rate, rate)).squeeze(0);
  });
  return mono;
}

// Into a row of `to` (S): the middle, or all and zeros behind it. The number of samples.
std::int64_t place(const at::Tensor& mono, at::Tensor to) {
  const std::int64_t size = mono.size(0), kept = std::min(size, to.size(0));
  to.narrow(0, 0, kept).copy_(mono.narrow(0, (size - kept) / 2, kept));
  to.narrow(0, kept, to.size(0) - kept).zero_();
  return kept;
}

bool teaches(const Clip& item, bool train) { return !item.problem && (!train || item.file.part == Part::train); }

// What is left open is learnt from the training files, or from all where there are none. A file whose rate is too far
// from the others' gets a problem.
Shape learn(std::vector<Clip>& items, const SoundFiles::Options& options) {
  const bool train = std::any_of(items.begin(), items.end(), [](const Clip& i) { return i.file.part == Part::train; });
  const auto first = std::find_if(items.begin(), items.end(), [&](const Clip& i) { return teaches(i, train); });
  const std::int64_t rate = options.rate > 0 ? options.rate : first->info.rate;
  double seconds = options.seconds;
  for (Clip& item : items) {
    const double ratio = static_cast<double>(rate) / static_cast<double>(item.info.rate);
    if (ratio > 256 || ratio < 1.0 / 256) {
      item.problem = Problem{item.file.where,
                             fmt::format("a rate that differs from {} Hz by a factor of at most 256", rate),
                             fmt::format("{} Hz", item.info.rate),
                             {}};
    }
    if (options.seconds == 0 && teaches(item, train)) seconds = std::max(seconds, item.info.seconds());
  }
  return {rate, std::max<std::int64_t>(1, std::llround(seconds * static_cast<double>(rate)))};
}

Fields fields_of(at::Tensor input, at::Tensor length, const at::Tensor& labels) {
  Fields fields;
  fields.set("input", std::move(input));
  fields.set("length", std::move(length));
  if (labels.defined()) fields.set("target", labels);
  return fields;
}

// int64 (N), or undefined where there are no labels.
at::Tensor labels_of(const std::vector<Clip>& items, bool labelled) {
  if (!labelled) return {};
  std::vector<std::int64_t> labels;
  for (const Clip& item : items) labels.push_back(item.label);
  return at::tensor(labels, at::kLong);
}

// Sound that is decoded whenever it is asked for.
class SoundSource final : public Source {
 public:
  SoundSource(std::vector<ExampleFile> files, at::Tensor labels, Shape shape, DatasetInfo info)
      : files_(std::move(files)), labels_(std::move(labels)), shape_(shape), info_(std::move(info)) {}
  const DatasetInfo& info() const override { return info_; }
  std::int64_t size() const override { return std::ssize(files_); }
  bool decodes() const override { return true; }

  Fields gather(const at::Tensor& index) const override {
    const at::Tensor own = index.contiguous();
    const at::Tensor input = at::empty({own.size(0), shape_.samples}, at::kShort);
    const at::Tensor length = at::empty({own.size(0)}, at::kLong);
    parallel_for(own.size(0), [&](std::int64_t i) {
      const auto at = static_cast<std::size_t>(own.const_data_ptr<std::int64_t>()[i]);
      length.mutable_data_ptr<std::int64_t>()[i] = place(read_mono(files_[at], shape_.rate), input[i]);
    });
    return fields_of(input, length, labels_.defined() ? labels_.index_select(0, own) : labels_);
  }

  at::Tensor column(const std::string& field) const override {
    return field == "target" && labels_.defined() ? labels_ : Source::column(field);
  }

 private:
  std::vector<ExampleFile> files_;
  at::Tensor labels_;
  Shape shape_;
  DatasetInfo info_;
};

std::vector<Clip> of_part(const std::vector<Clip>& items, Part part) {
  std::vector<Clip> result;
  std::copy_if(items.begin(), items.end(), std::back_inserter(result),
               [&](const Clip& i) { return i.file.part == part; });
  return result;
}

Dataset lazy_split(const std::vector<Clip>& items, const Shape& shape, DatasetInfo info, bool labelled) {
  info.fields["input"] = {{shape.samples}, at::kShort, 0, 0};
  info.fields["length"] = {{}, at::kLong, 0, 0};
  if (labelled) info.fields["target"] = {{}, at::kLong, 0, static_cast<double>(info.classes.size()) - 1};
  if (!labelled) info.classes.clear();
  std::string lines;
  std::vector<ExampleFile> files;
  for (const Clip& item : items) {
    lines += fmt::format("{} {}\n", fs::path(item.file.where).filename().string(), item.sha256);
    files.push_back(item.file);
  }
  if (!items.empty()) info.sha256 = sha256_hex(lines);
  return Dataset(std::make_shared<SoundSource>(std::move(files), labels_of(items, labelled), shape, std::move(info)));
}

Splits decode_later(std::vector<Clip> items, const Shape& shape, const DatasetInfo& info, bool labelled,
                    const std::string& where, Skips& skips) {
  for_each_clip(items, [&](Clip& item) {
    with_bytes(item.file, [&](const std::string& bytes) { item.sha256 = sha256_hex(bytes); });
    read_mono(item.file, shape.rate);
  });
  settle(items, where, skips);
  std::vector<Dataset> splits;
  for (std::size_t i = 0; i < std::size(sound_parts); ++i) {
    DatasetInfo own = info;
    own.split = part_names[i];
    splits.push_back(lazy_split(of_part(items, sound_parts[i]), shape, own, labelled));
  }
  return {splits[0], splits[1], splits[2]};
}

Splits decode_now(std::vector<Clip> items, const Shape& shape, const DatasetInfo& info, bool labelled,
                  const std::string& where, Skips& skips) {
  const at::Tensor input = at::empty({std::ssize(items), shape.samples}, at::kShort);
  const at::Tensor length = at::empty({std::ssize(items)}, at::kLong);
  const Clip* first = items.data();
  for_each_clip(items, [&](Clip& item) {
    const auto at = &item - first;
    length.mutable_data_ptr<std::int64_t>()[at] = place(read_mono(item.file, shape.rate), input[at]);
    item.file.bytes.reset();
  });
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].problem) kept.push_back(static_cast<std::int64_t>(i));
  }
  settle(items, where, skips);
  std::vector<Dataset> splits;
  for (std::size_t i = 0; i < std::size(sound_parts); ++i) {
    std::vector<std::int64_t> rows;
    for (std::size_t k = 0; k < items.size(); ++k) {
      if (items[k].file.part == sound_parts[i]) rows.push_back(kept[k]);
    }
    const at::Tensor index = at::tensor(rows, at::kLong);
    splits.push_back(make_split(fields_of(input.index_select(0, index), length.index_select(0, index),
                                          labels_of(of_part(items, sound_parts[i]), labelled)),
                                info, part_names[i]));
  }
  return {splits[0], splits[1], splits[2]};
}

Json spec_of(const SoundFiles::Options& options, const Shape& shape, const std::vector<std::string>& classes) {
  return {{"name", SoundFiles::name},
          {"classes", classes},
          {"rate", shape.rate},
          {"seconds", options.seconds > 0 ? options.seconds
                                          : static_cast<double>(shape.samples) / static_cast<double>(shape.rate)}};
}

}  // namespace

void SoundFiles::Options::validate() const {
  if (!test.empty() && test_share > 0)
    throw ConfigError({"sound.test_share", "0 beside test", fmt::format("{}", test_share), {}});
}

Splits SoundFiles::open(const fs::path& path, const Reading& reading) const {
  Skips skips(reading);
  FileSearch search{.classes = options_.classes,
                    .files = options_.files,
                    .target = options_.target,
                    .memory = static_cast<std::uint64_t>(options_.memory) << 20,
                    .kind = sound_files};
  LabelledFiles found = find_labelled_files(path, search, options_.test, options_.test_share, name, reading, skips);
  const bool labelled = !found.labels.empty();
  std::vector<Clip> items;
  for (std::size_t i = 0; i < found.files.size(); ++i) {
    items.push_back({.file = std::move(found.files[i]), .label = labelled ? found.labels[i] : -1});
  }
  for_each_clip(items, [](Clip& item) {
    with_bytes(item.file, [&](const std::string& bytes) { item.info = peek_sound(bytes, item.file.where); });
  });
  settle(items, path.string(), skips);
  const Shape shape = learn(items, options_);
  DatasetInfo info = reading.about;
  if (info.classes.size() != found.classes.size()) info.classes = found.classes;
  info.reader = spec_of(options_, shape, found.classes);
  info.preprocess = Json::array({{{"name", "log_mel"}}});
  const auto bytes = static_cast<std::uint64_t>(items.size()) * static_cast<std::uint64_t>(shape.samples) * 2;
  const bool now = bytes <= static_cast<std::uint64_t>(options_.memory) << 20;
  return (now ? decode_now : decode_later)(std::move(items), shape, info, labelled, path.string(), skips);
}

}  // namespace vaetl::readers
