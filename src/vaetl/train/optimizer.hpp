// What turns gradients into an update. State is kept by parameter name, so it survives freezing, thawing and a
// checkpoint. An optimiser of a program's own is most easily a FirstOrder (train/optimizers/first_order.hpp):
//
//   registry<Optimizer>().add<MySignDescent>();   // "optimizer": "sign_descent"
#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
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

// What an optimiser that evaluates again finds in a step besides the gradients.
struct Evaluation {
  at::Tensor loss = {};  // of which they are the gradients; 0-dim
  // Loss and gradients anew: of the same batches, with the same noise, at the weights as they stand now.
  std::function<at::Tensor()> again = {};
};

class Optimizer {
 public:
  using Kind = Optimizer;
  virtual ~Optimizer() = default;
  // Whose gradients the next steps read. What is known of other parameters is kept.
  virtual void set_parameters(std::vector<ParameterSet> sets) = 0;
  // One update from the parameters' gradients, which it may overwrite; a parameter without one is passed over. `scale`
  // multiplies the rate. Called without gradient recording.
  virtual void step(double scale, const Evaluation& evaluation = {}) = 0;
  virtual bool evaluates_again() const { return false; }  // step() reads `evaluation`

  // For a step that is captured (core/device_graph.hpp): true where every step(scale) is from then on advance(scale),
  // which sets what compute() reads of the host's, and compute(), which may be replayed, as long as layout() stays what
  // it was. Where it is false, the optimiser takes its steps outside of what is captured. divide(false) undoes it.
  virtual bool divide(bool /*wanted*/) { return false; }
  virtual void settle() {}  // before compute() is captured, with the gradients present
  virtual void advance(double /*scale*/) {}
  virtual void compute() {}
  virtual std::int64_t layout() const { return 0; }
  // Moments and step counters as "moment/parameter", for checkpoints.
  virtual std::map<std::string, at::Tensor> state() const = 0;
  virtual void load_state(const std::map<std::string, at::Tensor>& state) = 0;  // FileError: another optimiser's
};

template <>
Registry<Optimizer>& registry<Optimizer>();  // train/optimizers.hpp lists them

}  // namespace vaetl
