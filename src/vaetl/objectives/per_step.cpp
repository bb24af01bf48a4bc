#include "vaetl/objectives/per_step.hpp"

#include <ATen/ops/mse_loss.h>

#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/sequence.hpp"

namespace vaetl::objectives {
namespace {

const std::string per_step_by = "objective per_step";

bool step_targets_are_labels(const at::Tensor& target) {
  return at::isIntegralType(target.scalar_type(), /*includeBool=*/false);
}

// The mean over all steps that count; `each` (N, T).
at::Tensor mean_of_steps(Pass& pass, const at::Tensor& each, const at::Tensor& lengths) {
  if (!lengths.defined()) return pass.mean(each.mean(1));
  const at::Tensor sums = (each * nn::before_end(lengths, each.size(1))).sum(1);
  return pass.mean_counted(sums, "length");
}

}  // namespace

void PerStep::bind(Model& model, const Batch& example) {
  check_needs(needs(), model, example, per_step_by);
  const Fields& fields = example.find("train")->second;
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> state;
  const at::Tensor outputs = require<SequenceModel>(model).unroll(fields, state);
  const at::Tensor lengths = nn::lengths_of(fields, outputs.size(1), per_step_by);
  if (step_targets_are_labels(fields.target())) {
    nn::step_labels(fields.target(), outputs, lengths, per_step_by, /*everywhere=*/true);
  } else {
    nn::step_values(fields.target(), outputs, per_step_by);
  }
}

Terms PerStep::terms(std::size_t /*update*/, Pass& pass) {
  const Fields& fields = pass.fields();
  std::vector<at::Tensor> state;
  const at::Tensor outputs = require<SequenceModel>(pass.model()).unroll(fields, state);
  const at::Tensor lengths = nn::lengths_of(fields, outputs.size(1), per_step_by);
  if (!step_targets_are_labels(fields.target())) {
    const at::Tensor values = nn::step_values(fields.target(), outputs, per_step_by);
    const at::Tensor each = at::mse_loss(outputs, values, at::Reduction::None).mean(2);
    return Terms{}.add("squared_error", mean_of_steps(pass, each, lengths));
  }
  const at::Tensor labels = nn::step_labels(fields.target(), outputs, lengths, per_step_by);
  const auto [each, right] = nn::cross_entropy(outputs.flatten(0, 1), labels.flatten(), /*smoothing=*/0);
  return Terms{}
      .add("cross_entropy", mean_of_steps(pass, each.view(labels.sizes()), lengths))
      .log("accuracy", mean_of_steps(pass, right.view(labels.sizes()), lengths));
}

}  // namespace vaetl::objectives
