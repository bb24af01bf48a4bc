#include "vaetl/metrics/per_step.hpp"

#include "vaetl/nn/sequence.hpp"

namespace vaetl::metrics {
namespace {

struct Unrolled {
  at::Tensor outputs, lengths;
};

Unrolled unroll_batch(Pass& pass, std::string_view metric) {
  std::vector<at::Tensor> state;
  const at::Tensor outputs = require<SequenceModel>(pass.model()).unroll(pass.fields(), state);
  return {outputs, nn::lengths_of(pass.fields(), outputs.size(1), fmt::format("metric {}", metric))};
}

}  // namespace

void add_steps(WeightedMean& mean, const at::Tensor& each, const at::Tensor& lengths, const Fields& fields) {
  at::Tensor weight = at::ones(each.sizes(), each.options().dtype(at::kDouble));
  if (lengths.defined()) weight = weight * nn::before_end(lengths, each.size(1));
  if (fields.has("weight")) weight = weight * fields["weight"].unsqueeze(1);
  Fields steps;
  steps.set("weight", weight.flatten());
  mean.add(each.flatten(), steps);
}

void StepAccuracy::update(Pass& pass) {
  const auto [outputs, lengths] = unroll_batch(pass, name);
  const at::Tensor labels = nn::step_labels(pass.fields().target(), outputs, lengths, "metric step_accuracy");
  add_steps(mean_, outputs.argmax(2).eq(labels), lengths, pass.fields());
}

void StepRmse::update(Pass& pass) {
  const auto [outputs, lengths] = unroll_batch(pass, name);
  const at::Tensor values = nn::step_values(pass.fields().target(), outputs, "metric step_rmse");
  at::Tensor errors = (outputs - values).to(at::kDouble);
  if (pass.fields().has("target.scale")) {
    const at::Tensor scale = pass.fields()["target.scale"].to(at::kDouble);
    errors = errors * scale.reshape({scale.size(0), -1, errors.size(2)});
  }
  add_steps(mean_, errors.square().mean(2), lengths, pass.fields());
}

}  // namespace vaetl::metrics
