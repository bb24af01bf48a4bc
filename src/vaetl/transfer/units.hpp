// Which layers of a model read which others' outputs: the units that a layer puts out stand in the rows of its weight,
// in its bias and in the norms behind it, and in the columns of all that read them. Who makes a layer wider changes
// all of these. Found by following the graph of one pass back from layer to layer, so no model need know of it.
// Internal.
#pragma once
#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "vaetl/nn/model.hpp"

namespace vaetl::detail {

struct UnitPlace {
  std::string tensor;
  std::int64_t dim = 0;  // along it each unit has one or more values in a row: a map flattened has all its pixels there
};

// Layers whose outputs are added, or read by one layer, have the same units.
struct Units {
  std::int64_t count = 0;
  std::vector<UnitPlace> out;  // rows, biases, norms: one for each unit
  std::vector<UnitPlace> in;   // columns of those that read them
  std::string fixed = {};      // why their number cannot change; empty: it can
};

// The dense and convolutional layers: where their values lie.
struct UnitLayer {
  std::string path;
  std::string weight, bias;              // names of tensors; bias empty: none
  std::int64_t out_dim = 0, in_dim = 1;  // of the weight
};

struct UnitMap {
  std::vector<UnitLayer> layers;
  std::vector<Units> units;
};

// Of a freshly built model, in evaluation mode; it is left as it was.
UnitMap units_of(Model& model);

// What a model computes of drawn inputs, its own for each capability, from a generator of its own: two models of one
// signature can be compared. ConfigError, beginning with `by`, for a model whose inputs cannot be drawn.
std::vector<at::Tensor> outputs_of_drawn(Model& model, const std::string& by);

}  // namespace vaetl::detail
