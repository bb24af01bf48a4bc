#include "vaetl/core/signature.hpp"

#include <fmt/ranges.h>

#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

const std::vector<std::pair<std::string, at::ScalarType>>& dtypes() {
  static const std::vector<std::pair<std::string, at::ScalarType>> table = {
      {"float64", at::kDouble}, {"float32", at::kFloat}, {"float16", at::kHalf}, {"bfloat16", at::kBFloat16},
      {"int64", at::kLong},     {"int32", at::kInt},     {"int16", at::kShort},  {"int8", at::kChar},
      {"uint8", at::kByte},     {"bool", at::kBool}};
  return table;
}

std::vector<std::string> dtype_names() {
  std::vector<std::string> names;
  for (const auto& [name, dtype] : dtypes()) names.push_back(name);
  return names;
}

}  // namespace

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::vector<std::string> sizes;
  for (std::int64_t size : shape) sizes.push_back(size == -1 ? "any" : std::to_string(size));
  return fmt::format("({})", fmt::join(sizes, ", "));
}

bool shape_fits(const std::vector<std::int64_t>& wanted, at::IntArrayRef found) {
  return std::equal(wanted.begin(), wanted.end(), found.begin(), found.end(),
                    [](std::int64_t want, std::int64_t have) { return want == -1 || want == have; });
}

std::string dtype_name(at::ScalarType dtype) {
  for (const auto& [name, known] : dtypes()) {
    if (known == dtype) return name;
  }
  return "unsupported";
}

at::ScalarType dtype_from_name(const std::string& name, const std::string& path) {
  for (const auto& [known, dtype] : dtypes()) {
    if (known == name) return dtype;
  }
  throw ConfigError({path, "one of " + join(dtype_names()), "\"" + name + "\"", {}});
}

void Codec<at::ScalarType>::read(const Json& json, const std::string& path, at::ScalarType& value, const Rule&) {
  if (!json.is_string()) throw_type(path, "the name of an element type", json);
  value = dtype_from_name(json.get<std::string>(), path);
}
Json Codec<at::ScalarType>::write(const at::ScalarType& value) { return dtype_name(value); }
Json Codec<at::ScalarType>::schema(const Rule&) { return Json{{"type", "string"}, {"enum", dtype_names()}}; }

}  // namespace vaetl
