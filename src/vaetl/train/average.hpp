// Averaged weights: all parameters of a model averaged over the steps t = 1, 2, …, whichever updates a step made,
//   a ← a + r_t (w − a)
// with its buffers as they are. What is frozen stays bit for bit. The rule says how much the newest weights count:
//   exponential  r = 1 − min(decay, (1 + t) / (10 + t)), so that a short training is not held at its initial weights
//                (arXiv:1806.04498 for generators)
//   plain mean   r = 1 / (t − first + 1) from step `first` on; there is no average before (SWA, arXiv:1803.05407, with
//   a
//                cycle of one step). Running statistics of batch norm belong to the averaged weights only after
//                recompute_statistics(), which the Trainer calls at its last step.
// Internal to train.
#pragma once
#include <memory>
#include <vector>

#include "vaetl/data/feed.hpp"
#include "vaetl/nn/model.hpp"
#include "vaetl/objectives/objective.hpp"

namespace vaetl {

struct AverageRule {
  double decay = 0;        // > 0: exponential
  std::int64_t first = 0;  // > 0: the plain mean from this step on
  bool any() const { return decay > 0 || first > 0; }
  bool begun(std::int64_t step) const { return step >= first; }
  double rate(std::int64_t step) const;
  bool stale_statistics() const { return first > 0; }  // an exponential average lies close to what the buffers saw
};

class AveragedWeights {
 public:
  AveragedWeights(const Model& model, AverageRule rule);  // begins at the model's weights
  void update(std::int64_t step);                         // step: how many are done
  const AverageRule& rule() const { return rule_; }
  Model& model() const { return *averaged_; }

 private:
  AverageRule rule_;
  std::shared_ptr<Model> averaged_;
  std::vector<at::Tensor> weights_, averages_, buffers_, copies_;  // the two models' own, whose memory may move
};

// Running statistics of batch norm as the means over the training batches of an epoch, where a module of `trained` is
// in training; of a model without batch norm there is nothing to do. The objective's buffers are left as they were.
void recompute_statistics(Model& averaged, const Model& trained, Objective& objective, const Feed& feed,
                          std::uint64_t seed, Span span);

}  // namespace vaetl
