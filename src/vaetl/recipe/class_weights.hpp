// Weights of classes as a recipe writes them: "balanced", or an array of one number a class.
//   "data": {"open": "fashion-mnist", "class_weights": "balanced"}
#pragma once
#include <vector>

#include "vaetl/core/config.hpp"

namespace vaetl::recipe {

struct ClassWeights {
  std::vector<double> each = {};  // (K); empty: balanced, see Dataset::weigh_classes
};

}  // namespace vaetl::recipe

namespace vaetl {
template <>
struct Codec<recipe::ClassWeights> {
  static void read(const Json&, const std::string& path, recipe::ClassWeights& value, const Rule& rule);
  static Json write(const recipe::ClassWeights& value);
  static Json schema(const Rule& rule);
};
}  // namespace vaetl
