// Optimisers: LibTorch's fused kernels behind a small interface. State is kept by parameter name, so it survives
// freezing, thawing and a checkpoint.
#pragma once
#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "vaetl/core/registry.hpp"

namespace vaetl {

// Parameters that share their settings in one update.
struct ParameterSet {
  std::vector<std::string> names;
  std::vector<at::Tensor> parameters;
  double lr_scale = 1.0, weight_decay_scale = 1.0;
};

class Optimizer {
 public:
  using Kind = Optimizer;
  virtual ~Optimizer() = default;
  // One update from the parameters' gradients; a parameter without one is passed over. `scale` multiplies the rate.
  virtual void update(const ParameterSet& set, double scale) = 0;
  // Moments and step counters as "moment/parameter", for checkpoints.
  virtual std::map<std::string, at::Tensor> state() const = 0;
  virtual void load_state(const std::map<std::string, at::Tensor>& state) = 0;
};

template <>
Registry<Optimizer>& registry<Optimizer>();  // sgd, adam, adamw

}  // namespace vaetl
