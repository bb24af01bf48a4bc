// Averaged weights: an exponential moving average of all parameters of a model, with its buffers as they are
// (arXiv:1806.04498 for generators). After each step t = 1, 2, …, whichever updates the step made,
//   a ← a + (1 − d) (w − a),  d = min(decay, (1 + t) / (10 + t))
// so that a short training is not held at its initial weights. What is frozen stays bit for bit. Internal to train.
#pragma once
#include <memory>
#include <vector>

#include "vaetl/nn/model.hpp"

namespace vaetl {

class AveragedWeights {
 public:
  AveragedWeights(const Model& model, double decay);  // begins at the model's weights
  void update(std::int64_t step);                     // step: how many are done
  Model& model() const { return *averaged_; }

 private:
  double decay_;
  std::shared_ptr<Model> averaged_;
  std::vector<at::Tensor> weights_, averages_, buffers_, copies_;  // shared with the two models
};

}  // namespace vaetl
