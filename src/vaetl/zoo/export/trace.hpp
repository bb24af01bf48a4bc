// A computation as a graph of operators: it is run, and LibTorch's dispatcher tells which operators it calls with what.
// It runs several times, with inputs of other sizes: numbers that differ are sizes of the inputs, so that the graph
// holds for any batch.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "vaetl/nn/state.hpp"
#include "vaetl/zoo/export/graph.hpp"

namespace vaetl::zoo::exporting {

// One input of the computation; shape without N, −1 for what may have any size.
struct TracedInput {
  std::string name;
  std::vector<std::int64_t> shape = {};
  at::ScalarType dtype = at::kFloat;
  std::int64_t least = 0, most = 1;  // of whole numbers
};

using Computation = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;

// The computation must be a function of its inputs and the weights alone, calls LibTorch's operators, and is run
// without gradients. ConfigError where it is none, or where a number in it is not linear in the sizes.
Graph trace(const Computation& computation, const std::vector<TracedInput>& inputs, const Weights& weights);

}  // namespace vaetl::zoo::exporting
