// Adapters against what tests/parity/adapters.py computes with PyTorch: values, every gradient, ten steps of the
// adapter alone.
#include "models/parity.hpp"
#include "vaetl/nn/adapters.hpp"
#include "vaetl/nn/recurrent.hpp"

namespace vaetl::testing::parity_adapters_test {
namespace {

const TensorFile& adapter_reference() {
  static const TensorFile file = read_safetensors("tests/parity/adapters.safetensors");
  return file;
}

// Tensors of one case below a key such as "grad".
Weights part_of(const std::string& name, const std::string& kind) {
  const std::string prefix = name + "/" + kind + ".";
  Weights result;
  for (const auto& [key, tensor] : adapter_reference().tensors) {
    if (key.starts_with(prefix)) result[key.substr(prefix.size())] = tensor;
  }
  return result;
}

at::Tensor one(const std::string& name, const std::string& key) {
  return adapter_reference().tensors.at(name + "/" + key);
}

// What of the file belongs to this module.
Weights own_weights(const torch::nn::Module& module, const std::string& name) {
  const Weights all = part_of(name, "weights");
  Weights result;
  for (const auto& [key, tensor] : state(module)) result[key] = all.at(key);
  return result;
}

// Gradients of the layer's and the adapter's tensors are sums over the same values: their scale is the largest's.
void check_adapter_gradients(const torch::nn::Module& module, const std::string& name) {
  const Weights expected = part_of(name, "grad");
  double scale = 1;
  for (const auto& [key, gradient] : expected) scale = std::max(scale, largest(gradient));
  for (const auto& item : module.named_parameters()) {
    expect_close(item.value().grad(), expected.at(item.key()), "gradient of " + item.key(), scale);
  }
}

template <class Forward>
void check_steps(const Forward& forward, torch::nn::Module& adapter, const std::string& name) {
  const at::Tensor x = one(name, "input"), target = one(name, "target");
  for (int step = 0; step < 10; ++step) {
    adapter.zero_grad();
    (forward(x) - target).square().mean().backward();
    const at::NoGradGuard no_grad;
    for (auto& parameter : adapter.parameters()) parameter.sub_(0.1 * parameter.grad());
  }
  for (const auto& item : adapter.named_parameters()) {
    expect_close(item.value(), one(name, "after." + item.key()), item.key() + " after ten steps");
  }
}

template <class Layer>
void check_adapter(Layer&& layer, const Spec<nn::Adapter>& described, const std::string& name) {
  SCOPED_TRACE(name);
  const auto adapter = registry<nn::Adapter>().make(described);
  adapter->bind(layer.maps());
  layer.set_adapter(adapter);
  load_strict(layer, own_weights(layer, name), name);
  load_strict(*adapter, own_weights(*adapter, name), name);
  const auto forward = [&](const at::Tensor& x) { return layer.forward(x); };
  const at::Tensor x = one(name, "input").clone().requires_grad_();
  const at::Tensor y = forward(x);
  expect_close(y, one(name, "output"), "output");
  (y * one(name, "probe")).sum().backward();
  expect_close(x.grad(), one(name, "grad.input"), "gradient of the input");
  check_adapter_gradients(layer, name);
  check_adapter_gradients(*adapter, name);
  check_steps(forward, *adapter, name);
}

const Spec<nn::Adapter> lora = {"lora", {{"rank", 2}, {"alpha", 4}}}, ia3 = {"ia3"};

Spec<nn::Adapter> bottleneck_of(std::int64_t hidden, const char* activation) {
  return {"bottleneck", {{"hidden", hidden}, {"activation", activation}}};
}

TEST(ParityAdapters, OfDenseLayers) {
  check_adapter(nn::Linear(4, 5), lora, "lora_linear");
  check_adapter(nn::Linear(4, 5), ia3, "ia3_linear");
  check_adapter(nn::Linear(4, 5), bottleneck_of(3, "gelu"), "bottleneck_linear");
}

TEST(ParityAdapters, OfConvolutions) {
  const nn::ConvOptions conv{.in = 3, .out = 4, .kernel = 3, .stride = 2, .padding = 1};
  check_adapter(nn::Conv2d(conv), lora, "lora_conv");
  check_adapter(nn::Conv2d(conv), ia3, "ia3_conv");
  check_adapter(nn::Conv2d(conv), bottleneck_of(2, "relu"), "bottleneck_conv");
  check_adapter(nn::Conv2d({.in = 2, .out = 4, .kernel = 3, .padding = 1, .groups = 2, .bias = false}), ia3,
                "ia3_grouped");
}

TEST(ParityAdapters, OfTransposedConvolutions) {
  nn::ConvOptions conv{.in = 4, .out = 2, .kernel = 4, .stride = 2, .padding = 1};
  check_adapter(nn::ConvTranspose2d(conv, {0, 1}), lora, "lora_transposed");
  conv.out = 6;
  conv.groups = 2;
  check_adapter(nn::ConvTranspose2d(conv, {0, 1}), ia3, "ia3_transposed");
}

TEST(ParityAdapters, OfRecurrentLayers) {
  check_adapter(nn::Recurrent({.cell = "lstm", .in = 3, .hidden = 4, .layers = 2, .bidirectional = true}), lora,
                "lora_lstm");
  check_adapter(nn::Recurrent({.cell = "gru", .in = 3, .hidden = 4}), ia3, "ia3_gru");
  check_adapter(nn::Recurrent({.cell = "gru", .in = 3, .hidden = 4}), bottleneck_of(1, "tanh"), "bottleneck_gru");
}

}  // namespace
}  // namespace vaetl::testing::parity_adapters_test
