#include "vaetl/recipe/predictions.hpp"

#include <ATen/ATen.h>

#include "vaetl/nn/capabilities.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::recipe {
namespace {

constexpr std::int64_t most_predictions = 10'000;

// int64 (N); undefined where they are none, or not those of a model of so many classes.
at::Tensor labels_within(const Dataset& data, std::int64_t classes) {
  if (!data.has("target") || data.classes() == 0) return {};
  const at::Tensor labels = data.labels();
  const bool fit = labels.dim() == 1 && labels.ge(0).logical_and(labels.lt(classes)).all().item<bool>();
  return fit ? labels : at::Tensor();
}

}  // namespace

at::Tensor spread(std::int64_t size, std::int64_t count) {
  return (at::arange(std::min(size, count), at::kLong) * size).floor_divide(std::min(size, count));
}

std::optional<Predictions> predict_labels(Model& model, const Dataset& data) {
  if (!offers(model, Classifier::capability) || data.size() == 0 || !data.has("input")) return std::nullopt;
  Predictions found{.classes = require<Classifier>(model).classes(), .index = spread(data.size(), most_predictions)};
  const Dataset examples = found.index.size(0) == data.size() ? data : data.select(found.index);
  found.target = labels_within(examples, found.classes);
  if (!found.target.defined()) return std::nullopt;
  std::vector<at::Tensor> confidences, called;
  visit(model, examples, [&](Pass& pass) {
    const auto [confidence, label] = at::softmax(pass.logits(), 1).max(1);
    confidences.push_back(confidence.to(at::kCPU));
    called.push_back(label.to(at::kCPU));
  });
  found.confidence = at::cat(confidences), found.called = at::cat(called);
  return found;
}

}  // namespace vaetl::recipe
