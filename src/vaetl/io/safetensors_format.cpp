#include "vaetl/io/safetensors_format.hpp"

#include <array>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"

namespace vaetl::safetensors {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr std::array<Dtype, 10> dtypes = {{{"F64", at::kDouble, 8, 9},
                                           {"F32", at::kFloat, 4, 8},
                                           {"F16", at::kHalf, 2, 5},
                                           {"BF16", at::kBFloat16, 2, 6},
                                           {"I64", at::kLong, 8, 10},
                                           {"I32", at::kInt, 4, 7},
                                           {"I16", at::kShort, 2, 4},
                                           {"I8", at::kChar, 1, 3},
                                           {"U8", at::kByte, 1, 2},
                                           {"BOOL", at::kBool, 1, 1}}};

template <class Matches>
const Dtype* find(Matches matches) {
  const auto found = std::find_if(dtypes.begin(), dtypes.end(), matches);
  return found == dtypes.end() ? nullptr : &*found;
}

void check_name(const std::string& name, const std::string& where) {
  if (!name.empty() && name != metadata_key) return;
  throw FileError({.where = where, .expected = "tensors with names of their own", .found = in_quotes(name)});
}

std::uint64_t bytes_of(const Placed& tensor, const std::string& where) {
  std::int64_t bytes = static_cast<std::int64_t>(find_dtype(tensor.entry.dtype)->bytes);
  for (const std::int64_t dimension : tensor.entry.shape) {
    if (!__builtin_mul_overflow(bytes, dimension, &bytes) && bytes >= 0) continue;
    throw FileError({.where = tensor_place(where, tensor.name),
                     .expected = "a size that 63 bits count",
                     .found = fmt::format("a dimension of {}", dimension)});
  }
  return static_cast<std::uint64_t>(bytes);
}

}  // namespace

const Dtype* find_dtype(std::string_view name) {
  return find([&](const Dtype& dtype) { return dtype.name == name; });
}

const Dtype* find_dtype(at::ScalarType type) {
  return find([&](const Dtype& dtype) { return dtype.type == type; });
}

std::string dtype_names() {
  std::vector<std::string> names;
  for (const auto& dtype : dtypes) names.emplace_back(dtype.name);
  return join(names);
}

std::string in_quotes(std::string_view name) {
  constexpr std::size_t longest = 100;
  if (name.size() <= longest) return fmt::format("\"{}\"", name);
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;  // not within a character
  return fmt::format("\"{}…\"", name.substr(0, end));
}

std::string tensor_place(const std::string& where, std::string_view name) {
  return fmt::format("{}: tensor {}", where, in_quotes(name));
}

std::vector<Placed> lay_out(const std::map<std::string, SafetensorsEntry>& tensors, const std::string& where) {
  std::vector<Placed> order;
  for (const auto& [name, entry] : tensors) {
    check_name(name, where);
    if (find_dtype(entry.dtype) == nullptr) {
      throw FileError({.where = tensor_place(where, name),
                       .expected = "a dtype out of " + dtype_names(),
                       .found = c10::toString(entry.dtype)});
    }
    order.push_back({name, entry});
  }
  auto rank = [](const Placed& tensor) { return find_dtype(tensor.entry.dtype)->rank; };
  std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) { return rank(a) > rank(b); });
  std::uint64_t offset = 0;
  for (Placed& tensor : order) {
    const std::uint64_t bytes = bytes_of(tensor, where);
    tensor.entry.begin = std::exchange(offset, offset + bytes);
    tensor.entry.end = offset;
  }
  return order;
}

// One entry at a time: an object of a million keys would look each one up among all before it.
std::string header_text(const std::vector<Placed>& tensors, const std::map<std::string, std::string>& metadata,
                        const std::string& where) try {
  std::string text = "{";
  auto add = [&](std::string_view key, const Ordered& value) {
    text.append(text.size() == 1 ? "" : ",").append(Ordered(key).dump()).append(":").append(value.dump());
  };
  if (!metadata.empty()) add(metadata_key, Ordered(metadata));
  for (const auto& [name, entry] : tensors) {
    add(name,
        {{"dtype", find_dtype(entry.dtype)->name}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}});
  }
  text += "}";
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() <= max_header_bytes && tensors.size() <= max_tensors) return text;
  throw FileError(
      {.where = where,
       .expected = fmt::format("a header of at most {} bytes and {} tensors", max_header_bytes, max_tensors),
       .found = fmt::format("{} bytes and {} tensors", text.size(), tensors.size())});
} catch (const nlohmann::json::exception&) {
  throw FileError({.where = where, .expected = "names and metadata in UTF-8", .found = "other bytes in one of them"});
}

void write_header(AtomicFile& file, const std::string& text) {
  const std::uint64_t size = text.size();
  file.write(&size, sizeof size);
  file.write(text);
}

}  // namespace vaetl::safetensors
