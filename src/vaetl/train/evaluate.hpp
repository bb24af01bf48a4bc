// Scores a model on data, with the preprocessing that its weights carry (or, before any, the standard mapping).
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/data/pipeline.hpp"
#include "vaetl/nn/model.hpp"
#include "vaetl/nn/pass.hpp"

namespace vaetl {

struct EvaluateOptions {
  std::function<void()> between = {};    // called after every batch; what it throws ends the evaluation
  std::optional<Dataset> training = {};  // for metrics that compare with it, such as knn
};
// Metric (NAME or NAME?option=value) → value over the first stream, in storage order. ConfigError where the model lacks
// what a metric needs, or the training data are wanted and none.
std::map<std::string, double> evaluate(Model& model, const Pipeline& data, const std::vector<std::string>& metrics,
                                       const EvaluateOptions& options = {});

// Calls `use` with every batch of the first stream in storage order, in evaluation mode, without gradients or
// augmentation. The model's mode is restored afterwards.
void visit(Model& model, const Pipeline& data, const std::function<void(Pass&)>& use, std::int64_t batch_size = 500);
// The same with the batch that the pass looks at: fields that nothing computed depends on, such as weights, may change.
void visit_batches(Model& model, const Pipeline& data, const std::function<void(Pass&, Batch&)>& use,
                   std::int64_t batch_size = 500);

}  // namespace vaetl
