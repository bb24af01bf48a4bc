#include "vaetl/io/safetensors_format.hpp"

#include <array>

#include "vaetl/core/text.hpp"

namespace vaetl::safetensors {
namespace {

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

}  // namespace vaetl::safetensors
