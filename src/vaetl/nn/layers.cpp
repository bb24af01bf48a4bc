#include "vaetl/nn/layers.hpp"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/spectral_norm.hpp"
#include "vaetl/nn/statistics.hpp"

namespace vaetl::nn {
namespace {

constexpr double most_values = 4294967296.0;  // 16 GiB of float32: more is a slip in a description
constexpr double batch_norm_momentum = 0.1, norm_epsilon = 1e-5;

void check_size(const std::vector<std::int64_t>& shape) {
  double values = 1;
  bool positive = true;
  for (std::int64_t size : shape) {
    values *= static_cast<double>(size);
    positive = positive && size > 0;
  }
  if (positive && values <= most_values) return;
  throw ConfigError({"layer", fmt::format("between 1 and {:.0f} weights", most_values), "a shape " + shape_text(shape),
                     "change the sizes in the model's description"});
}

void check_groups_of(const ConvOptions& o) {
  if (o.groups > 0 && o.in % o.groups == 0 && o.out % o.groups == 0) return;
  throw ConfigError({"convolution", fmt::format("groups that divide {} and {} channels", o.in, o.out),
                     std::to_string(o.groups), "change the channels in the model's description"});
}

// U(−1/√fan_in, 1/√fan_in): what kaiming_uniform with a = √5 comes to, and PyTorch's rule for biases too.
at::Tensor uniform_parameter(const std::vector<std::int64_t>& shape, std::int64_t fan_in) {
  check_size(shape);
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  return at::empty(shape).uniform_(-bound, bound);
}

// The weight as a parameter of the layer, under its own name or under spectral norm's.
at::Tensor register_weight(torch::nn::Module& layer, const at::Tensor& weight, bool spectral,
                           std::shared_ptr<SpectralNorm>& norm) {
  if (!spectral) return layer.register_parameter("weight", weight);
  norm = std::make_shared<SpectralNorm>(layer, weight);
  return weight;
}

// What a layer computes with.
at::Tensor effective_weight(const at::Tensor& weight, const std::shared_ptr<SpectralNorm>& norm, bool training) {
  return norm ? norm->weight(training) : weight;
}

}  // namespace

Linear::Linear(std::int64_t in, std::int64_t out, bool spectral_norm) {
  weight = register_weight(*this, uniform_parameter({out, in}, in), spectral_norm, spectral_norm_);
  bias = register_parameter("bias", uniform_parameter({out}, in));
}

LayerMaps Linear::maps() const {
  return {{{"", weight, bias}}, weight.size(0), /*picture=*/false, /*derived=*/spectral_norm_ != nullptr};
}

DenseLayer Linear::affine(const Activation& activation) const {
  const LinearMap map{"", effective_weight(weight, spectral_norm_, is_training()), bias};
  return {adapted_weight(map), adapted_bias(map), activation};
}

std::optional<DenseLayer> Linear::layer(const Activation& activation) const {
  if (output_is_adapted()) return std::nullopt;
  return affine(activation);
}

at::Tensor Linear::forward(const at::Tensor& x, const Activation& activation) {
  if (output_is_adapted()) {
    const DenseLayer alone = affine({});
    return activation(adapted_output(dense(x, {&alone, 1})));
  }
  const DenseLayer alone = affine(activation);
  return dense(x, {&alone, 1});
}

Embedding::Embedding(std::int64_t count, std::int64_t size, bool spectral_norm) {
  check_size({count, size});
  weight = register_weight(*this, at::randn({count, size}), spectral_norm, spectral_norm_);
}

at::Tensor Embedding::forward(const at::Tensor& ids) {
  return at::embedding(effective_weight(weight, spectral_norm_, is_training()), ids);
}

Conv2d::Conv2d(ConvOptions o) : options_(o) {
  check_groups_of(o);
  const std::int64_t in = o.in / o.groups, fan_in = in * o.kernel * o.kernel;
  weight = register_weight(*this, uniform_parameter({o.out, in, o.kernel, o.kernel}, fan_in), o.spectral_norm,
                           spectral_norm_);
  if (o.bias) bias = register_parameter("bias", uniform_parameter({o.out}, fan_in));
}

LayerMaps Conv2d::maps() const {
  return {{{"", weight, bias}}, options_.out, /*picture=*/true, /*derived=*/spectral_norm_ != nullptr};
}

LinearMap Conv2d::map() const { return {"", effective_weight(weight, spectral_norm_, is_training()), bias}; }

at::Tensor Conv2d::forward(const at::Tensor& x) {
  const LinearMap own = map();
  return adapted_output(convolve(channels_last(x), adapted_weight(own), adapted_bias(own), options_.stride,
                                 options_.padding, options_.groups));
}

at::Tensor Conv2d::relu_pool(const at::Tensor& x) {
  const bool keeps_size = options_.stride == 1 && options_.groups == 1 && 2 * options_.padding == options_.kernel - 1;
  if (!keeps_size || !options_.bias || output_is_adapted()) return at::relu(at::max_pool2d(forward(x), {2, 2}));
  const LinearMap own = map();
  return conv_relu_pool(x, adapted_weight(own), adapted_bias(own));
}

ConvTranspose2d::ConvTranspose2d(ConvOptions o, std::array<std::int64_t, 2> output_padding)
    : options_(o), output_padding_(output_padding) {
  check_groups_of(o);
  const std::int64_t out = o.out / o.groups;
  const std::int64_t fan_in = out * o.kernel * o.kernel;  // of the second dimension, as PyTorch counts it
  weight = register_parameter("weight", uniform_parameter({o.in, out, o.kernel, o.kernel}, fan_in));
  if (o.bias) bias = register_parameter("bias", uniform_parameter({o.out}, fan_in));
}

LayerMaps ConvTranspose2d::maps() const {
  return {{{"", weight, bias, options_.groups}}, options_.out, /*picture=*/true};
}

at::Tensor ConvTranspose2d::forward(const at::Tensor& x) {
  const LinearMap own{"", weight, bias, options_.groups};
  return adapted_output(convolve_transposed(channels_last(x), adapted_weight(own), adapted_bias(own), options_.stride,
                                            options_.padding, output_padding_, options_.groups));
}

BatchNorm::BatchNorm(std::int64_t channels)
    : weight(register_parameter("weight", at::ones({channels}))),
      bias(register_parameter("bias", at::zeros({channels}))),
      running_mean(register_buffer("running_mean", at::zeros({channels}))),
      running_var(register_buffer("running_var", at::ones({channels}))),
      num_batches_tracked(register_buffer("num_batches_tracked", at::zeros({}, at::kLong))) {}

// What this batch is normalised by; counts it.
NormParameters BatchNorm::in_training(const at::Tensor& x) {
  if (x.numel() == x.size(1)) {
    throw DataError({"batch norm", "more than one value a channel in training",
                     "a batch of shape " + shape_text(x.sizes().vec()),
                     "use a larger batch, or a data set that does not leave a last batch of one example"});
  }
  if (KeepStatistics::active()) return {weight, bias, {}, {}, batch_norm_momentum, norm_epsilon};
  const at::NoGradGuard no_grad;
  num_batches_tracked.add_(1);
  const double momentum =
      CumulativeStatistics::active() ? 1.0 / num_batches_tracked.item<double>() : batch_norm_momentum;
  return {weight, bias, running_mean, running_var, momentum, norm_epsilon};
}

at::Tensor BatchNorm::forward(const at::Tensor& x) {
  const NormParameters norm =
      is_training() ? in_training(x)
                    : NormParameters{weight, bias, running_mean, running_var, batch_norm_momentum, norm_epsilon};
  return at::batch_norm(x, weight, bias, norm.running_mean, norm.running_var, is_training(), norm.momentum,
                        norm.epsilon, /*cudnn_enabled=*/true);
}

at::Tensor BatchNorm::relu_of(const at::Tensor& x, const at::Tensor& plus) {
  if (is_training()) return norm_relu(x, plus, in_training(x));
  at::Tensor y = forward(x);
  if (plus.defined()) y += plus;
  return at::relu_(y);
}

LayerNorm::LayerNorm(std::int64_t features)
    : weight(register_parameter("weight", at::ones({features}))),
      bias(register_parameter("bias", at::zeros({features}))) {}

at::Tensor LayerNorm::forward(const at::Tensor& x) {
  return at::layer_norm(x, weight.sizes(), weight, bias, norm_epsilon);
}

}  // namespace vaetl::nn
