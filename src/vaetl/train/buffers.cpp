#include "vaetl/train/buffers.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_clone.h>
#include <ATen/ops/_foreach_copy.h>

namespace vaetl {

void SavedBuffers::add(const torch::nn::Module& module) {
  for (const at::Tensor& buffer : module.buffers()) buffers_.push_back(buffer);
}

void SavedBuffers::save() {
  const at::NoGradGuard no_grad;
  if (buffers_.empty()) return;
  if (saved_.empty())
    saved_ = at::_foreach_clone(buffers_);
  else
    at::_foreach_copy_(saved_, buffers_);
}

void SavedBuffers::restore() const {
  const at::NoGradGuard no_grad;
  if (!buffers_.empty()) at::_foreach_copy_(buffers_, saved_);
}

}  // namespace vaetl
