// What a classifier says of the examples that a run is scored on: for the confusion matrix and the pictures of its
// mistakes. Internal to recipe.
#pragma once
#include <ATen/core/Tensor.h>

#include <optional>

#include "vaetl/data/dataset.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::recipe {

struct Predictions {
  std::int64_t classes = 0;
  at::Tensor index = {};                // int64 (N): the examples' positions in the data
  at::Tensor target = {}, called = {};  // int64 (N)
  at::Tensor confidence = {};           // (N): the share of the class that it is called; all on the CPU
};

// `count` positions at most in `size`, evenly spread.
at::Tensor spread(std::int64_t size, std::int64_t count);

// Of at most 10,000 examples, evenly spread. None for a model that is no classifier, and for data without labels, or
// with one that the model does not know.
std::optional<Predictions> predict_labels(Model& model, const Dataset& data);

}  // namespace vaetl::recipe
