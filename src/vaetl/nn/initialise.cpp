#include "vaetl/nn/initialise.hpp"

#include <cmath>

#include "vaetl/nn/layers.hpp"

namespace vaetl::nn {
namespace {

void draw_normal(at::Tensor weight, at::Tensor bias, double deviation) {
  const at::NoGradGuard no_grad;
  weight.normal_(0, deviation);
  if (bias.defined()) bias.zero_();
}

// As PyTorch counts: the groups of a convolution do not lessen its fan out.
std::int64_t fan_of(const at::Tensor& weight, Fan fan) {
  return weight.size(fan == Fan::in ? 1 : 0) * weight.size(2) * weight.size(3);
}

}  // namespace

void initialise_convolutions(torch::nn::Module& module, Fan fan) {
  for (const auto& child : module.modules()) {
    if (auto* conv = dynamic_cast<Conv2d*>(child.get())) {
      draw_normal(conv->weight, conv->bias, std::sqrt(2 / static_cast<double>(fan_of(conv->weight, fan))));
    }
  }
}

void initialise_linears(torch::nn::Module& module, double deviation) {
  for (const auto& child : module.modules()) {
    if (auto* linear = dynamic_cast<Linear*>(child.get())) draw_normal(linear->weight, linear->bias, deviation);
  }
}

void initialise_identity(at::Tensor weight) {
  const at::NoGradGuard no_grad;
  weight.zero_();
  at::Tensor centre = weight;
  while (centre.dim() > 2) centre = centre.select(2, centre.size(2) / 2);
  centre.fill_diagonal_(1);
}

}  // namespace vaetl::nn
