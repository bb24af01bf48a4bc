// What turns features into logits or values: a linear layer with the parameters weight and bias, or with `hidden`
// widths an MLP with ReLU between its layers, whose parameters are 0.weight, 0.bias, 2.weight, … as those of
// torch.nn.Sequential(Linear, ReLU, Linear, …). Features (N, F), or of every step (N, T, F).
//
//   nn::HeadLayers head = nn::make_head(256, {128}, 10);
//   register_module("head", head.module);
#pragma once
#include <memory>
#include <vector>

#include "vaetl/nn/blocks.hpp"

namespace vaetl::nn {

struct HeadLayers {
  std::shared_ptr<torch::nn::Module> module;  // null: there is none
  Sequence::Function run;
  explicit operator bool() const { return module != nullptr; }
  // In training a share of the features is dropped before it.
  at::Tensor forward(const at::Tensor& features, double dropout = 0) const;
};

HeadLayers make_head(std::int64_t features, const std::vector<std::int64_t>& hidden, std::int64_t out);
// ConfigError for hidden layers of no head: of models that have an option `head`.
void check_head(const std::vector<std::int64_t>& hidden, std::int64_t out);

}  // namespace vaetl::nn
