// What a model expects of its inputs and what a dataset declares of its fields, in the same words.
#pragma once
#include <c10/core/ScalarType.h>
#include <c10/util/ArrayRef.h>

#include <map>
#include <string>
#include <vector>

#include "vaetl/core/config.hpp"

namespace vaetl {

// One field of an example: its shape without N, its type, and the range its values are declared to lie in.
struct FieldInfo {
  std::vector<std::int64_t> shape = {};  // a model's may hold −1: any size
  at::ScalarType dtype = at::kByte;
  double low = 0, high = 255;
  static constexpr auto fields() {
    using F = FieldInfo;
    return std::tuple{field("shape", &F::shape, "shape of one example"), field("dtype", &F::dtype, "element type"),
                      field("low", &F::low, "least value"), field("high", &F::high, "greatest value")};
  }
};

struct Signature {
  std::map<std::string, FieldInfo> inputs = {};  // checked against the data before step 0
};

std::string shape_text(const std::vector<std::int64_t>& shape);  // "(1, 28, 28)"; −1 is written as "any"
// Whether a tensor's sizes are those of a signature.
bool shape_fits(const std::vector<std::int64_t>& wanted, at::IntArrayRef found);
std::string dtype_name(at::ScalarType dtype);  // "uint8", "float32", …
at::ScalarType dtype_from_name(const std::string& name, const std::string& path);

template <>
struct Codec<at::ScalarType> {
  static void read(const Json&, const std::string& path, at::ScalarType& value, const Rule& rule);
  static Json write(const at::ScalarType& value);
  static Json schema(const Rule& rule);
};

}  // namespace vaetl
