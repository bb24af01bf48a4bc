#include "vaetl/data/readers/sound.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/file_items.hpp"
#include "vaetl/data/readers/further_files.hpp"
#include "vaetl/data/readers/labelled_files.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/io/sound.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;

const FileKind sound_files = {
    .one = "a WAV or FLAC file",
    .all = "sound (.wav, .flac)",
    .read = {".wav", ".wave", ".flac"},
    .others = {".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".wma", ".au"}};

using Clip = KnownItem<SoundInfo>;

// How every file becomes an example.
struct Shape {
  std::int64_t rate = 0, samples = 0;
};

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

std::int64_t samples_in(double seconds, std::int64_t rate) {
  return std::max<std::int64_t>(1, std::llround(seconds * static_cast<double>(rate)));
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
  return {rate, samples_in(seconds, rate)};
}

Fields fields_of(at::Tensor input, at::Tensor length) {
  Fields fields;
  fields.set("input", std::move(input));
  fields.set("length", std::move(length));
  return fields;
}

Fields read_sounds(const std::vector<const ExampleFile*>& files, const Shape& shape) {
  const at::Tensor input = at::empty({std::ssize(files), shape.samples}, at::kShort);
  const at::Tensor length = at::empty({std::ssize(files)}, at::kLong);
  parallel_for(std::ssize(files), [&](std::int64_t i) {
    const at::Tensor mono = read_mono(*files[static_cast<std::size_t>(i)], shape.rate);
    length.mutable_data_ptr<std::int64_t>()[i] = place(mono, input[i]);
  });
  return fields_of(input, length);
}

Splits decode_later(std::vector<Clip> items, const Shape& shape, const DatasetInfo& info, bool labelled,
                    const std::string& where, Skips& skips) {
  for_each_item<Clip>(items, [&](Clip& item) {
    with_bytes(item.file, [&](const std::string& bytes) { item.sha256 = sha256_hex(bytes); });
    read_mono(item.file, shape.rate);
  });
  settle(items, where, skips);
  DatasetInfo own = info;
  own.fields["input"] = {{shape.samples}, at::kShort, 0, 0};
  own.fields["length"] = {{}, at::kLong, 0, 0};
  const auto read = [shape](const auto& files) { return read_sounds(files, shape); };
  auto split = [&](Part part) { return read_at_gather(items, own, part, labelled, read); };
  return {split(Part::train), split(Part::validation), split(Part::test)};
}

Splits decode_now(std::vector<Clip> items, const Shape& shape, const DatasetInfo& info, bool labelled,
                  const std::string& where, Skips& skips) {
  const at::Tensor input = at::empty({std::ssize(items), shape.samples}, at::kShort);
  const at::Tensor length = at::empty({std::ssize(items)}, at::kLong);
  const Clip* first = items.data();
  for_each_item<Clip>(items, [&](Clip& item) {
    const auto at = &item - first;
    length.mutable_data_ptr<std::int64_t>()[at] = place(read_mono(item.file, shape.rate), input[at]);
    item.file.bytes.reset();
  });
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].problem) kept.push_back(static_cast<std::int64_t>(i));
  }
  settle(items, where, skips);
  auto split = [&](Part part) {
    std::vector<std::int64_t> rows;
    for (std::size_t k = 0; k < items.size(); ++k) {
      if (items[k].file.part == part) rows.push_back(kept[k]);
    }
    const at::Tensor index = at::tensor(rows, at::kLong);
    Fields fields = fields_of(input.index_select(0, index), length.index_select(0, index));
    if (labelled) fields.set("target", labels_of(of_part(items, part)));
    return make_split(std::move(fields), info, name_of(part)).with_names(names_of(items, part));
  };
  return {split(Part::train), split(Part::validation), split(Part::test)};
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

std::unique_ptr<FurtherStream> SoundFiles::further(const Place& from) const {
  const Shape shape{options_.rate, samples_in(options_.seconds, options_.rate)};
  return further_files(from, sound_files, [shape](const ExampleFile& file) {
    const at::Tensor input = at::empty({shape.samples}, at::kShort);
    return fields_of(input, at::scalar_tensor(place(read_mono(file, shape.rate), input), at::kLong));
  });
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
  auto items = items_of<Clip>(std::move(found.files), found.labels);
  for_each_item<Clip>(items, [](Clip& item) {
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
