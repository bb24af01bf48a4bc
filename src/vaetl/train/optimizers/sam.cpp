#include "vaetl/train/optimizers/sam.hpp"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_clone.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include "vaetl/core/text.hpp"

namespace vaetl::optim {
namespace {

constexpr const char* sam_base_path = "sam.base";

}  // namespace

void Sam::Options::validate() {
  base = registry<Optimizer>().complete(base, sam_base_path);
  if (!registry<Optimizer>().make(base, sam_base_path)->evaluates_again()) return;
  throw ConfigError(
      {sam_base_path, "an optimiser that evaluates a batch once", quote(base.name), "choose sgd or adamw"});
}

Sam::Sam(const Options& options) : rho_(options.rho), base_(registry<Optimizer>().make(options.base, sam_base_path)) {}

void Sam::set_parameters(std::vector<ParameterSet> sets) {
  parameters_.clear();
  for (const ParameterSet& set : sets) {
    parameters_.insert(parameters_.end(), set.parameters.begin(), set.parameters.end());
  }
  base_->set_parameters(std::move(sets));
}

void Sam::step(double scale, const Evaluation& evaluation) {
  std::vector<at::Tensor> parameters, gradients;
  for (const at::Tensor& parameter : parameters_) {
    if (!parameter.grad().defined()) continue;
    parameters.push_back(parameter);
    gradients.push_back(parameter.grad());
  }
  if (parameters.empty()) return;
  const at::Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
  const auto weights = at::_foreach_clone(parameters);  // θ + e − e would not be θ to the bit
  at::_foreach_mul_(gradients, rho_ / (norm + 1e-12));
  at::_foreach_add_(parameters, gradients);
  gradients.clear();
  evaluation.again();
  at::_foreach_copy_(parameters, weights);
  base_->step(scale);
}

}  // namespace vaetl::optim
