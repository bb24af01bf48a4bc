#include "vaetl/nn/components.hpp"

#include <ATen/ops/_scaled_dot_product_attention_math.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/glu.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/nn/initialise.hpp"
#include "vaetl/nn/second_gradients.hpp"
#include "vaetl/nn/sequence.hpp"

namespace vaetl::nn {
namespace {

using Shape = std::vector<std::int64_t>;

bool is_picture(const Shape& shape) { return shape.size() == 3; }

std::int64_t features_of(const Shape& shape) { return is_picture(shape) ? shape[0] : shape.back(); }

void check_rank(std::string_view component, const Shape& shape, std::size_t least) {
  if (shape.size() >= least && shape.size() <= 3) return;
  const std::string vector = least == 1 ? "a vector (F), " : "";
  throw ConfigError({std::string(component), vector + "a sequence (T, F) or a picture (C, H, W)", shape_text(shape),
                     "insert it after another layer group"});
}

void check_kernel(std::string_view component, const Shape& shape, std::int64_t kernel) {
  if (kernel == 1 || is_picture(shape)) return;
  throw ConfigError(
      {std::string(component) + ".kernel", "1 where the input is no picture", std::to_string(kernel), {}});
}

void check_odd_kernel(std::int64_t kernel) {
  if (kernel % 2 == 0) throw ConfigError({"kernel", "an odd size", std::to_string(kernel), {}});
}

// The fused kernels keep no matrix of steps by steps, but their gradients have none themselves.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& seen) {
  const auto mask = seen.defined() ? std::optional(seen) : std::nullopt;
  if (!SecondGradients::wanted()) return at::scaled_dot_product_attention(q, k, v, mask);
  return std::get<0>(at::_scaled_dot_product_attention_math(q, k, v, mask));
}

struct MapSizes {
  std::int64_t in, out, kernel = 1;
};

FeatureMap add_feature_map(torch::nn::Module& parent, const std::string& name, const Shape& shape, MapSizes sizes) {
  if (is_picture(shape)) {
    const ConvOptions conv{.in = sizes.in, .out = sizes.out, .kernel = sizes.kernel, .padding = (sizes.kernel - 1) / 2};
    const auto layer = parent.register_module(name, std::make_shared<Conv2d>(conv));
    return {layer, [kept = layer.get()](const at::Tensor& x) { return kept->forward(x); }};
  }
  const auto layer = parent.register_module(name, std::make_shared<Linear>(sizes.in, sizes.out));
  return {layer, [kept = layer.get()](const at::Tensor& x) { return kept->forward(x); }};
}

}  // namespace

// Weights start as in PyTorch: Xavier's uniform values (Glorot and Bengio, AISTATS 2010, eq. 16), biases 0.
void SelfAttention::bind(const Shape& shape) {
  check_rank(name, shape, 2);
  const std::int64_t features = features_of(shape);
  if (features % options_.heads != 0) {
    throw ConfigError({std::string(name) + ".heads",
                       fmt::format("a divisor of the {} features", features),
                       std::to_string(options_.heads),
                       {}});
  }
  const double bound = std::sqrt(6.0 / static_cast<double>(4 * features));
  in_proj_weight_ = register_parameter("in_proj_weight", at::empty({3 * features, features}).uniform_(-bound, bound));
  in_proj_bias_ = register_parameter("in_proj_bias", at::zeros({3 * features}));
  out_proj_ = register_module("out_proj", std::make_shared<Linear>(features, features));
  const at::NoGradGuard no_grad;
  out_proj_->bias.zero_();
}

at::Tensor SelfAttention::attend(const at::Tensor& x, const at::Tensor& lengths) const {
  const std::int64_t batch = x.size(0), steps = x.size(1), features = x.size(2);
  const auto parts = at::linear(x, in_proj_weight_, in_proj_bias_)
                         .view({batch, steps, 3, options_.heads, features / options_.heads})
                         .permute({2, 0, 3, 1, 4})
                         .unbind(0);
  at::Tensor seen;  // (N, 1, 1, T)
  if (lengths.defined()) seen = before_end(lengths, steps).unsqueeze(1).unsqueeze(1);
  const at::Tensor heads = attention(parts[0], parts[1], parts[2], seen);  // (N, heads, T, d)
  return out_proj_->forward(heads.transpose(1, 2).reshape({batch, steps, features}));
}

at::Tensor SelfAttention::over_steps(const at::Tensor& x, const at::Tensor& lengths) { return attend(x, lengths); }

at::Tensor SelfAttention::forward(const at::Tensor& x) {
  if (x.dim() == 3) return attend(x);
  return attend(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(x.sizes());
}

void Glu::bind(const Shape& shape) {
  check_rank(name, shape, 1);
  const std::int64_t features = features_of(shape);
  proj_ = add_feature_map(*this, "proj", shape, {features, 2 * features});
  dimension_ = is_picture(shape) ? 1 : -1;
}

at::Tensor Glu::forward(const at::Tensor& x) { return at::glu(proj_(x), dimension_); }

void Highway::bind(const Shape& shape) {
  check_rank(name, shape, 1);
  const std::int64_t features = features_of(shape);
  activation_ = Activation(options_.activation);
  hidden_ = add_feature_map(*this, "hidden", shape, {features, features});
  gate_ = add_feature_map(*this, "gate", shape, {features, features});
  const at::NoGradGuard no_grad;
  gate_.module->named_parameters()["bias"].fill_(options_.bias);
}

at::Tensor Highway::forward(const at::Tensor& x) { return at::lerp(x, activation_(hidden_(x)), at::sigmoid(gate_(x))); }

void FeedForward::Options::validate() const { check_odd_kernel(kernel); }

void FeedForward::bind(const Shape& shape) {
  check_rank(name, shape, 1);
  check_kernel(name, shape, options_.kernel);
  const std::int64_t features = features_of(shape), hidden = options_.hidden > 0 ? options_.hidden : features;
  activation_ = Activation(options_.activation);
  fc1_ = add_feature_map(*this, "fc1", shape, {features, hidden, options_.kernel});
  fc2_ = add_feature_map(*this, "fc2", shape, {hidden, features, options_.kernel});
}

at::Tensor FeedForward::forward(const at::Tensor& x) { return fc2_(activation_(fc1_(x))); }

void Layer::Options::validate() const { check_odd_kernel(kernel); }

void Layer::bind(const Shape& shape) {
  check_rank(name, shape, 1);
  check_kernel(name, shape, options_.kernel);
  const std::int64_t features = features_of(shape);
  activation_ = Activation(options_.activation);
  fc_ = add_feature_map(*this, "fc", shape, {features, features, options_.kernel});
  auto parameters = fc_.module->named_parameters();
  initialise_identity(parameters["weight"]);
  const at::NoGradGuard no_grad;
  parameters["bias"].zero_();
}

at::Tensor Layer::forward(const at::Tensor& x) { return activation_(fc_(x)); }

void Residual::bind(const Shape& shape) {
  of_ = registry<Component>().make(options_.of, "residual.of");
  of_->bind(shape);
  register_module("of", of_);
  if (options_.gate) gate_ = register_parameter("gate", at::zeros({1}));
}

at::Tensor Residual::add(const at::Tensor& x, const at::Tensor& change) const {
  return gate_.defined() ? x.addcmul(change, gate_) : x + change;
}

at::Tensor Residual::forward(const at::Tensor& x) { return add(x, of_->forward(x)); }

at::Tensor Residual::over_steps(const at::Tensor& x, const at::Tensor& lengths) {
  return add(x, of_->over_steps(x, lengths));
}

void SqueezeExcitation::bind(const Shape& shape) {
  check_rank(name, shape, 1);
  const std::int64_t features = features_of(shape);
  const std::int64_t hidden = std::max<std::int64_t>(1, features / options_.reduction);
  fc1_ = add_feature_map(*this, "fc1", shape, {features, hidden});
  fc2_ = add_feature_map(*this, "fc2", shape, {hidden, features});
}

at::Tensor SqueezeExcitation::forward(const at::Tensor& x) {
  at::Tensor squeezed = x;
  if (x.dim() == 4) squeezed = x.mean({2, 3}, /*keepdim=*/true);
  if (x.dim() == 3) squeezed = x.mean(1, /*keepdim=*/true);
  return x * at::sigmoid(fc2_(at::relu(fc1_(squeezed))));
}

}  // namespace vaetl::nn

namespace vaetl {

template <>
Registry<nn::Component>& registry<nn::Component>() {
  static Registry<nn::Component> table = Registry<nn::Component>("component")
                                             .add<nn::SelfAttention>()
                                             .add<nn::Glu>()
                                             .add<nn::Highway>()
                                             .add<nn::FeedForward>()
                                             .add<nn::Layer>()
                                             .add<nn::Residual>()
                                             .add<nn::SqueezeExcitation>();
  return table;
}

}  // namespace vaetl
