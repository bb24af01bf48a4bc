// Which classes a classifier takes for which.
//
//   const Confusion found = confusion(*model, fashion.test);
//   std::cout << found.of_class(6).recall;   // of the shirts, so many were called shirts
#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

#include "vaetl/data/pipeline.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl {

struct ClassScore {
  std::int64_t examples = 0;                 // of that label
  double precision = 0, recall = 0, f1 = 0;  // NaN where nothing was called so, or where there are no examples
};

struct Confusion {
  at::Tensor counts = {};  // int64 (K, K): row i, column j: examples of label i that were called j
  std::int64_t classes() const { return counts.size(0); }
  ClassScore of_class(std::int64_t label) const;
};

// Of every example once; instance weights do not count. ConfigError for a model that is no classifier, DataError for
// data without labels, or with one that the model does not know.
Confusion confusion(Model& model, const Pipeline& data);

}  // namespace vaetl
