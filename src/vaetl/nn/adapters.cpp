#include "vaetl/nn/adapters.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "vaetl/nn/fused.hpp"

namespace vaetl::nn {
Lora::Lora(const Options& options)
    : options_(options), scale_(options.alpha == 0 ? 1 : options.alpha / static_cast<double>(options.rank)) {}

void Lora::bind(const LayerMaps& layer) {
  for (const LinearMap& map : layer.maps) {
    const std::int64_t rows = map.weight.size(0), columns = map.weight.numel() / rows;
    const std::int64_t rank = std::min({options_.rank, rows, columns});
    const double bound = 1 / std::sqrt(static_cast<double>(columns));
    const at::Tensor a = at::empty({rank, columns}).uniform_(-bound, bound);
    factors_.push_back({register_parameter("lora_a" + map.suffix, a),
                        register_parameter("lora_b" + map.suffix, at::zeros({rows, rank}))});
  }
}

at::Tensor Lora::weight(const LinearMap& map, std::size_t index) const {
  const Factors& own = factors_.at(index);
  return at::addmm(map.weight.flatten(1), own.b, own.a, 1, scale_).view_as(map.weight);
}

void Ia3::bind(const LayerMaps& layer) {
  for (const LinearMap& map : layer.maps) {
    scales_.push_back(register_parameter("scale" + map.suffix, at::ones({map.outputs()})));
  }
}

at::Tensor Ia3::weight(const LinearMap& map, std::size_t index) const {
  const at::Tensor &scale = scales_.at(index), &weight = map.weight;
  if (const std::int64_t groups = map.transposed_groups; groups > 0) {
    const at::Tensor grouped = weight.unflatten(0, {groups, -1});  // (groups, in / groups, out / groups, k, k)
    return grouped.mul(scale.view({groups, 1, -1, 1, 1})).reshape(weight.sizes());
  }
  return weight.flatten(1).mul(scale.unsqueeze(1)).view_as(weight);
}

at::Tensor Ia3::bias(const LinearMap& map, std::size_t index) const {
  return map.bias.defined() ? map.bias * scales_.at(index) : map.bias;
}

void Bottleneck::bind(const LayerMaps& layer) {
  const std::int64_t hidden = options_.hidden > 0 ? options_.hidden : std::max<std::int64_t>(1, layer.features / 4);
  activation_ = Activation(options_.activation);
  picture_ = layer.picture;
  down_ = register_module("down", std::make_shared<Linear>(layer.features, hidden));
  up_ = register_module("up", std::make_shared<Linear>(hidden, layer.features));
  const at::NoGradGuard no_grad;
  up_->weight.zero_();
  up_->bias.zero_();
}

// A picture's channels lie next to each other, so that a 1 × 1 convolution is a dense layer over its pixels.
at::Tensor Bottleneck::output(const at::Tensor& y) {
  const std::array layers = {*down_->layer(activation_), *up_->layer({})};
  if (!picture_) return y + dense(y, layers);
  return y + dense(y.permute({0, 2, 3, 1}), layers).permute({0, 3, 1, 2});
}

}  // namespace vaetl::nn

namespace vaetl {

template <>
Registry<nn::Adapter>& registry<nn::Adapter>() {
  static Registry<nn::Adapter> table =
      Registry<nn::Adapter>("adapter").add<nn::Lora>().add<nn::Ia3>().add<nn::Bottleneck>();
  return table;
}

}  // namespace vaetl
