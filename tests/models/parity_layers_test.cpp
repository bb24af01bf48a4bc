// Leaf layers, activations and likelihoods against PyTorch's: values, gradients, running statistics.
#include "models/parity.hpp"
#include "vaetl/nn/activation.hpp"
#include "vaetl/nn/layers.hpp"
#include "vaetl/nn/likelihood.hpp"

namespace vaetl::testing::parity_layers_test {
namespace {

template <class Layer>
void check_layer(Layer&& layer, const std::string& name) {
  SCOPED_TRACE(name);
  const Reference reference(name);
  load_strict(layer, reference.weights(), name);
  const at::Tensor x = reference["input"].clone().requires_grad_();
  const at::Tensor y = layer.forward(x);
  expect_close(y, reference["output"], "output");
  const at::Tensor loss = (y * reference["probe"]).sum();
  expect_gradients(layer, loss, reference);
  expect_close(x.grad(), reference["grad.input"], "gradient of the input");
}

void check_batch_norm(std::int64_t channels, const std::string& name) {
  nn::BatchNorm norm(channels);
  check_layer(norm, name);
  const Reference reference(name);
  for (const auto& [key, tensor] : state(norm)) expect_close(tensor, reference["after." + key], name + " after " + key);
  norm.eval();
  expect_close(norm.forward(reference["input"]), reference["eval.output"], name + " in evaluation");
}

TEST(ParityLayers, Values) {
  check_layer(nn::Linear(4, 3), "linear");
  check_layer(nn::Conv2d({.in = 2, .out = 3, .kernel = 3, .padding = 1}), "conv");
  check_layer(nn::Conv2d({.in = 1, .out = 3, .kernel = 5, .stride = 2, .padding = 2}), "conv_grey_stride");
  check_layer(nn::ConvTranspose2d({.in = 3, .out = 2, .kernel = 4, .stride = 2, .padding = 1}, {0, 1}),
              "conv_transpose");
  check_layer(nn::ConvTranspose2d({.in = 1, .out = 1, .kernel = 2, .stride = 2}), "conv_transpose_grey");
  check_batch_norm(3, "batch_norm_dense");
  check_batch_norm(3, "batch_norm_image");
}

TEST(ParityLayers, Activations) {
  const Reference reference("activation");
  for (std::string_view view : nn::activations) {
    if (view.empty()) continue;
    const std::string name(view);
    const at::Tensor x = reference["input"].clone().requires_grad_();
    const at::Tensor y = nn::Activation(name)(x * 1);  // relu overwrites a layer's result, never a leaf
    y.sum().backward();
    expect_close(y, reference[name + ".output"], name);
    expect_close(x.grad(), reference[name + ".grad"], "gradient of " + name);
  }
}

TEST(ParityLayers, Likelihoods) {
  const Reference reference("likelihood");
  for (const std::string name : {"bernoulli", "gaussian"}) {
    const auto likelihood = nn::make_likelihood(name, reference["raw"]);
    expect_close(likelihood->log_prob(reference["x"]), reference[name], name);
  }
}

}  // namespace
}  // namespace vaetl::testing::parity_layers_test
