#include "vaetl/data/packed.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/parallel.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/digest.hpp"
#include "vaetl/io/safetensors_stream.hpp"

namespace vaetl::data {
namespace packed {
namespace {

// DatasetInfo as it stands in a file; the split is told by the tensors' names.
struct Description {
  std::string name = {}, licence = {}, sha256 = {};
  std::vector<std::string> classes = {};
  std::map<std::string, FieldInfo> columns = {};
  Json reader = {}, preprocess = {};
  std::int64_t overlap = 0;
  static constexpr auto fields() {
    using D = Description;
    return std::tuple{field("name", &D::name, "of the set"),
                      field("licence", &D::licence, "of the set"),
                      field("sha256", &D::sha256, "of the values"),
                      field("classes", &D::classes, "names of the labels 0 … K−1"),
                      field("fields", &D::columns, "shape, type and range of each field"),
                      field("reader", &D::reader, "how files became these fields"),
                      field("preprocess", &D::preprocess, "recommended for training"),
                      field("overlap", &D::overlap, "examples that share values with one", between(0, 1e9))};
  }
};

}  // namespace

std::string info_key(const std::string& split) { return "vaetl.info." + split; }

std::string sums_key(const std::string& tensor) { return "vaetl.sums." + tensor; }

std::string write_info(const DatasetInfo& info) {
  const Description description{.name = info.name,
                                .licence = info.licence,
                                .sha256 = info.sha256,
                                .classes = info.classes,
                                .columns = info.fields,
                                .reader = info.reader,
                                .preprocess = info.preprocess,
                                .overlap = info.overlap};
  return to_json(description).dump(-1, ' ', false, Json::error_handler_t::replace);
}

DatasetInfo read_info(const std::string& text, DatasetInfo info, const std::string& where) try {
  Description read{.name = info.name, .licence = info.licence, .classes = info.classes};
  Codec<Description>::read(parse_json(text, where, {.bytes = text.size()}), where, read,
                           {});  // the header's limit holds
  return {.name = read.name,
          .licence = read.licence,
          .sha256 = read.sha256,
          .fields = read.columns,
          .classes = read.classes,
          .reader = read.reader,
          .preprocess = read.preprocess,
          .overlap = read.overlap};
} catch (const ConfigError& error) {
  throw DataError(error.problem);
}

std::string header_digest(const SafetensorsHeader& header) {
  std::string lines;
  for (const auto& [name, entry] : header.tensors) {
    lines += fmt::format("{} {} {}\n", name, dtype_name(entry.dtype), shape_text(entry.shape));
  }
  for (const auto& [key, value] : header.metadata) {
    if (key != header_key) lines += fmt::format("{}={}\n", key, value);
  }
  return sha256_hex(lines);
}

SafetensorsHeader read_header(const std::filesystem::path& file) try {
  SafetensorsHeader header = read_safetensors_header(file);
  const auto version = header.metadata.find(version_key);
  if (version != header.metadata.end() && version->second != "1") {
    throw DataError(
        {file.string(), "a packed file of version 1", quote(version->second), "read it with a newer vaetl"});
  }
  const auto told = header.metadata.find(header_key);
  if (told == header.metadata.end() || told->second == header_digest(header)) return header;
  throw DataError({file.string(), "a header as it was packed", "a damaged one", "pack or copy the file again"});
} catch (const FileError& error) {
  throw DataError(error.problem);
}

}  // namespace packed

namespace {

constexpr std::size_t hex_digits = 64;

// SHA-256 of each 64 MiB of values that come in order.
class Sums {
 public:
  void add(const at::Tensor& values) {
    std::string_view bytes(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
    while (!bytes.empty()) {
      const auto some = bytes.substr(0, packed::sum_bytes - filled_);
      digest_.update(some);
      filled_ += some.size();
      bytes.remove_prefix(some.size());
      if (filled_ == packed::sum_bytes) end();
    }
  }
  std::string text() {
    if (filled_ > 0) end();
    return text_;
  }
  static std::size_t length(std::uint64_t bytes) {
    return hex_digits * ((bytes + packed::sum_bytes - 1) / packed::sum_bytes);
  }

 private:
  void end() {
    text_ += digest_.hex();
    filled_ = 0;
  }
  Sha256 digest_;
  std::uint64_t filled_ = 0;
  std::string text_;
};

// One split on its way into the file.
struct Part {
  std::string split;
  Dataset data;
};

SafetensorsEntry entry_of(const FieldInfo& field, std::int64_t size) {
  SafetensorsEntry entry{.dtype = field.dtype, .shape = {size}};
  entry.shape.insert(entry.shape.end(), field.shape.begin(), field.shape.end());
  return entry;
}

std::uint64_t bytes_of(const SafetensorsEntry& entry) {
  return c10::elementSize(entry.dtype) * static_cast<std::uint64_t>(c10::multiply_integers(entry.shape));
}

DatasetInfo with_sha256(DatasetInfo info, std::string sha256) {
  info.sha256 = std::move(sha256);
  return info;
}

// The header as it will be, but for the digests: zeros stand in their places.
SafetensorsHeader plan(const std::vector<Part>& parts) {
  SafetensorsHeader header;
  header.metadata[packed::version_key] = "1";
  header.metadata[packed::header_key] = std::string(hex_digits, '0');
  for (const auto& [split, data] : parts) {
    const DatasetInfo& info = data.info();
    header.metadata[packed::info_key(split)] = packed::write_info(with_sha256(info, std::string(hex_digits, '0')));
    for (const auto& [key, field] : info.fields) {
      const std::string name = split + "." + key;
      const auto& entry = header.tensors[name] = entry_of(field, data.size());
      header.metadata[packed::sums_key(name)] = std::string(Sums::length(bytes_of(entry)), '0');
    }
  }
  return header;
}

void write_part(SafetensorsStream& file, SafetensorsHeader& header, const Part& part,
                const std::function<void(std::int64_t)>& done) {
  DataDigest whole;
  std::map<std::string, Sums> sums;
  visit_parts(part.data, [&](const Fields& fields, std::int64_t end) {
    for (const auto& [key, values] : fields) {
      const std::string name = part.split + "." + key;
      const at::Tensor own = values.to(at::kCPU).contiguous();
      file.append(name, own);
      sums[name].add(own);
    }
    whole.add(fields);
    done(end);
  });
  for (auto& [name, each] : sums) header.metadata[packed::sums_key(name)] = each.text();
  header.metadata[packed::info_key(part.split)] = packed::write_info(with_sha256(part.data.info(), whole.hex()));
}

void write_parts(const std::vector<Part>& parts, const std::filesystem::path& path, const Packing& progress) {
  std::int64_t all = 0, before = 0;
  for (const auto& part : parts) all += part.data.size();
  if (all == 0) throw DataError({path.string(), "examples to pack", "none", "choose another set"});
  SafetensorsHeader header = plan(parts);
  SafetensorsStream file(path, header.tensors, header.metadata);
  for (const auto& part : parts) {
    write_part(file, header, part, [&](std::int64_t done) {
      if (progress) progress(before + done, all);
    });
    before += part.data.size();
  }
  header.metadata[packed::header_key] = packed::header_digest(header);
  file.commit(header.metadata);
}

// One tensor against its sums, in parallel; the problems are in the order of the file.
class Verifier {
 public:
  Verifier(const std::filesystem::path& file, const std::string& name, const at::Tensor& values)
      : where_(file.string()), name_(name), values_(values) {}

  void compare(const std::string& sums, PackedCheck& check) const {
    const std::uint64_t bytes = values_.nbytes();
    if (sums.size() != Sums::length(bytes)) {
      throw DataError({where_, fmt::format("{} digits of checksums for {}", Sums::length(bytes), quote(name_)),
                       fmt::format("{}", sums.size()), "pack the set again"});
    }
    const auto count = static_cast<std::int64_t>(sums.size() / hex_digits);
    std::vector<std::string> found(static_cast<std::size_t>(count));
    parallel_for(count, [&](std::int64_t i) { found[static_cast<std::size_t>(i)] = sum(i); });
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string told = sums.substr(static_cast<std::size_t>(i) * hex_digits, hex_digits);
      if (found[static_cast<std::size_t>(i)] != told) check.damaged.push_back(problem(i, told));
    }
    check.sums += count;
  }

 private:
  std::pair<std::uint64_t, std::uint64_t> bounds(std::int64_t i) const {
    const std::uint64_t begin = static_cast<std::uint64_t>(i) * packed::sum_bytes;
    return {begin, std::min<std::uint64_t>(begin + packed::sum_bytes, values_.nbytes())};
  }
  std::string sum(std::int64_t i) const {
    const auto [begin, end] = bounds(i);
    return sha256_hex({static_cast<const char*>(values_.const_data_ptr()) + begin, end - begin});
  }
  Problem problem(std::int64_t i, const std::string& told) const {
    const auto [begin, end] = bounds(i);
    const std::uint64_t row = values_.nbytes() / static_cast<std::uint64_t>(values_.size(0));
    return {where_,
            fmt::format("{} of the examples {} to {} as they were packed (SHA-256 {}…)", quote(name_), begin / row,
                        (end - 1) / row, told.substr(0, 12)),
            "other values", "pack or copy the file again"};
  }

  std::string where_, name_;
  const at::Tensor& values_;
};

}  // namespace

void pack(const Splits& splits, const std::filesystem::path& file, const Packing& progress) {
  std::vector<Part> parts;
  for (Part part : {Part{"train", splits.train}, Part{"validation", splits.validation}, Part{"test", splits.test}}) {
    if (part.data.size() > 0) parts.push_back(std::move(part));
  }
  write_parts(parts, file, progress);
}

void pack(const Dataset& train, const std::filesystem::path& file, const Packing& progress) {
  write_parts({{"train", train}}, file, progress);
}

PackedCheck verify_packed(const std::filesystem::path& path) try {
  const SafetensorsHeader header = packed::read_header(path);
  const TensorFile file = read_safetensors(path);
  PackedCheck check;
  for (const auto& [name, values] : file.tensors) {
    const auto sums = header.metadata.find(packed::sums_key(name));
    if (sums != header.metadata.end()) Verifier(path, name, values).compare(sums->second, check);
  }
  return check;
} catch (const FileError& error) {
  throw DataError(error.problem);
}

}  // namespace vaetl::data
