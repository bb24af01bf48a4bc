// What a card says of one input or output: element type, symbolic shape, layout, range, and what its classes are.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/core/signature.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::zoo {

// In JSON a number, or the name of a size that may be any: ["N", 1, 28, 28].
struct Dimension {
  std::int64_t size = 0;
  std::string name = {};  // not empty: any size
};

// Layouts name the axes in order: N example, C channel or value, H row, W column, T step.
struct TensorCard {
  at::ScalarType dtype = at::kFloat;
  std::vector<Dimension> shape = {};
  std::string layout = {};
  std::optional<double> low = {}, high = {};             // none: any value
  std::optional<std::vector<std::string>> classes = {};  // of the last axis, where it has names
  static constexpr auto fields() {
    using T = TensorCard;
    return std::tuple{field("dtype", &T::dtype, "element type"),
                      field("shape", &T::shape, "sizes, or names of those that may be any; N: examples"),
                      field("layout", &T::layout, "the axes: N example, C channel or value, H row, W column, T step"),
                      field("low", &T::low, "least value"),
                      field("high", &T::high, "greatest value"),
                      field("classes", &T::classes, "what stands along the last axis")};
  }
};

using TensorCards = std::map<std::string, TensorCard>;

// What the model takes, after preprocessing: the fields of its signature, and the noise of one that only generates.
TensorCards inputs_of(const Model& model);
// What it can give: logits, predictions, steps, features, generated; the words of a test vector.
TensorCards outputs_of(const Model& model, const std::vector<std::string>& classes);

std::string to_text(const TensorCard& tensor);  // "float32 (N, 1, 28, 28)"

}  // namespace vaetl::zoo

namespace vaetl {
template <>
struct Codec<zoo::Dimension> {
  static void read(const Json&, const std::string& path, zoo::Dimension& value, const Rule& rule);
  static Json write(const zoo::Dimension& value);
  static Json schema(const Rule& rule);
};
}  // namespace vaetl
