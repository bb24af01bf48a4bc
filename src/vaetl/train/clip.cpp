#include "vaetl/train/clip.hpp"

#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include <numeric>

namespace vaetl {
namespace {

constexpr double least_weight_norm = 1e-3;  // lets weights at 0 move

std::vector<at::Tensor> gradients_of(const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& parameter : parameters) {
    if (parameter.grad().defined()) result.push_back(parameter.grad());
  }
  return result;
}

// ‖·‖ of each unit, of a shape that broadcasts.
at::Tensor unit_norms(const at::Tensor& values) {
  if (values.dim() < 2) return at::linalg_vector_norm(values);
  std::vector<std::int64_t> rest(static_cast<std::size_t>(values.dim()) - 1);
  std::iota(rest.begin(), rest.end(), 1);
  return at::linalg_vector_norm(values, 2, rest, /*keepdim=*/true);
}

}  // namespace

GradientClip::GradientClip(ClipLimits limits, const std::vector<ParameterSet>& sets, const std::set<std::string>& heads)
    : limits_(limits) {
  for (const ParameterSet& set : sets) {
    for (std::size_t i = 0; i < set.parameters.size(); ++i) {
      parameters_.push_back(set.parameters[i]);
      if (!heads.contains(set.names[i])) adapted_.push_back(set.parameters[i]);
    }
  }
}

void GradientClip::apply() const {
  if (limits_.adaptive > 0) adapt();
  if (limits_.value <= 0 && limits_.norm <= 0) return;
  const auto gradients = gradients_of(parameters_);
  if (gradients.empty()) return;
  if (limits_.value > 0) {
    at::_foreach_clamp_min_(gradients, -limits_.value);
    at::_foreach_clamp_max_(gradients, limits_.value);
  }
  if (limits_.norm > 0) {
    const at::Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
    at::_foreach_mul_(gradients, (limits_.norm / (norm + 1e-6)).clamp_max(1.0));
  }
}

void GradientClip::adapt() const {
  for (const at::Tensor& parameter : adapted_) {
    if (!parameter.grad().defined()) continue;
    const at::Tensor most = unit_norms(parameter).clamp_min_(least_weight_norm).mul_(limits_.adaptive);
    parameter.grad().mul_(most.div_(unit_norms(parameter.grad())).clamp_max_(1.0));
  }
}

}  // namespace vaetl
