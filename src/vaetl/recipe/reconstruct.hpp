// What a model rebuilds of given examples from their codes alone (nn/rebuild.hpp), and how far off it is.
#pragma once
#include <map>
#include <string>

#include "vaetl/data/dataset.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::recipe {

struct Reconstructed {
  at::Tensor inputs, outputs;  // (N, …) as the model sees and makes them, on the CPU
  // Means of the errors: reconstruction_mse; for inputs in [0, 1] also _bce. Of token ids tokens_rebuilt, the share of
  // all tokens, padding left out, that come back in their places.
  std::map<std::string, double> metrics;
};

// Every example, in storage order, with the preprocessing that the weights carry. ConfigError for a model that does not
// both encode and decode.
Reconstructed reconstruct(Model& model, const Dataset& data);

// Pictures in rows of `columns`: inputs above, what was made of them below; each pair of rows its own examples.
at::Tensor reconstruction_grid(const Model& model, const Reconstructed& pictures, std::int64_t columns = 10);

}  // namespace vaetl::recipe
