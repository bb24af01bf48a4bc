#include "vaetl/train/average.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>

#include <algorithm>

namespace vaetl {
namespace {

std::vector<at::Tensor> detached(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& tensor : tensors) result.push_back(tensor.detach());
  return result;
}

}  // namespace

AveragedWeights::AveragedWeights(const Model& model, double decay)
    : decay_(decay),
      averaged_(clone(model)),
      weights_(detached(model.parameters())),
      averages_(detached(averaged_->parameters())),
      buffers_(model.buffers()),
      copies_(averaged_->buffers()) {}

void AveragedWeights::update(std::int64_t step) {
  const double t = static_cast<double>(step), decay = std::min(decay_, (1 + t) / (10 + t));
  const at::NoGradGuard no_grad;
  at::_foreach_lerp_(averages_, weights_, 1 - decay);
  if (!buffers_.empty()) at::_foreach_copy_(copies_, buffers_);
}

}  // namespace vaetl
