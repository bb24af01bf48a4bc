#include "vaetl/data/readers/packed.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/text.hpp"
#include "vaetl/data/digest.hpp"
#include "vaetl/data/packed.hpp"
#include "vaetl/data/sources.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;
namespace packed = data::packed;

const std::vector<std::string> split_names = {"train", "validation", "test"};

// Data at an address that their type does not allow would be copied into memory, all of them.
void check_alignment(const fs::path& file, const SafetensorsHeader& header) {
  for (const auto& [name, entry] : header.tensors) {
    const std::uint64_t size = c10::elementSize(entry.dtype);
    if ((header.data_start + entry.begin) % size == 0) continue;
    throw DataError({file.string(), fmt::format("{} at a multiple of {} bytes", quote(name), size),
                     fmt::format("the offset {}", header.data_start + entry.begin),
                     "write it with a library for safetensors, or pack it again"});
  }
}

// Split → fields.
std::map<std::string, Fields> divide(const fs::path& file, const std::map<std::string, at::Tensor>& tensors) {
  std::map<std::string, Fields> splits;
  for (const auto& [name, values] : tensors) {
    const auto dot = name.find('.');
    const std::string split = name.substr(0, dot), key = dot == std::string::npos ? "" : name.substr(dot + 1);
    if (key.empty() || std::find(split_names.begin(), split_names.end(), split) == split_names.end()) {
      throw DataError({file.string(), "tensors named train.FIELD, validation.FIELD or test.FIELD", quote(name),
                       "such as train.input and train.target"});
    }
    splits[split].set(key, values);
  }
  if (splits.empty()) throw DataError({file.string(), "tensors such as train.input", "none", "check the path"});
  for (const auto& [split, fields] : splits) {
    if (!fields.has("input")) throw DataError({file.string(), "a tensor " + quote(split + ".input"), "none", {}});
  }
  return splits;
}

// The tensors are the file's: as many neighbours as fit in 64 MiB are cheap to read together.
Dataset windowed(const Dataset& data) {
  constexpr std::int64_t window_bytes = std::int64_t{1} << 26;
  const std::int64_t window = std::max<std::int64_t>(1, window_bytes / example_bytes(data.info()));
  return Dataset(
      std::make_shared<TensorSource>(data.all(), data.info(), data.size(), window < data.size() ? window : 0));
}

Dataset make(const fs::path& file, const SafetensorsHeader& header, const std::string& split, Fields fields,
             DatasetInfo info) {
  const auto told = header.metadata.find(packed::info_key(split));
  if (told != header.metadata.end()) info = packed::read_info(told->second, info, file.string() + ": " + told->first);
  if (!fields.has("target")) info.classes.clear();
  info.split = split;
  return windowed(Dataset::from_tensors(std::move(fields), std::move(info)));
}

// Where labels have no names, all splits get the same ones: as many as the largest label of any asks for.
void name_classes(std::map<std::string, Dataset>& splits) {
  std::int64_t count = 0;
  for (const auto& [split, data] : splits) {
    if (!data.info().classes.empty()) return;
    count = std::max(count, data.classes());
  }
  for (auto& [split, data] : splits) {
    if (data.classes() == 0) continue;
    DatasetInfo info = data.info();
    info.classes = numbered_classes(count);
    info.fields["target"].high = static_cast<double>(count - 1);
    data = data.described(std::move(info));
  }
}

Splits with_test(const Dataset& train, const Dataset& validation, double share) {
  Splits splits = split_off(train, share);
  splits.validation = validation;
  return splits;
}

}  // namespace

Splits Packed::open(const fs::path& path, const Reading& reading) const try {
  const SafetensorsHeader header = packed::read_header(path);
  check_alignment(path, header);
  std::map<std::string, Dataset> splits;
  for (auto& [split, fields] : divide(path, read_safetensors(path).tensors)) {
    splits.emplace(split, make(path, header, split, std::move(fields), reading.about));
  }
  name_classes(splits);
  const Dataset any = splits.begin()->second;
  auto part = [&](const std::string& split) {
    const auto found = splits.find(split);
    return found == splits.end() ? none_of(any, split) : found->second;
  };
  if (options_.test_share == 0) return {part("train"), part("validation"), part("test")};
  if (!splits.contains("test")) return with_test(part("train"), part("validation"), options_.test_share);
  throw ConfigError(
      {"data.test_share", "a packed file without a test split", path.string() + " with one", "leave test_share out"});
} catch (const FileError& error) {
  throw DataError(error.problem);
}

}  // namespace vaetl::readers
