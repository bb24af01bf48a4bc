#include "vaetl/nn/activation.hpp"

#include <ATen/ops/elu.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tanh.h>

#include "vaetl/core/text.hpp"

namespace vaetl::nn {
namespace {

struct Entry {
  std::string_view name;
  at::Tensor (*apply)(at::Tensor);
  bool monotone;
  Range range = {};
  std::optional<Derivative> derivative = {};
};

// In the order of `activations`. Only relu runs in place: it is the one whose gradient needs its result alone and that
// is used on large maps.
constexpr Entry table[] = {
    {"relu", [](at::Tensor x) { return at::relu_(x); }, true, at_least(0), Derivative{kernels::Rule::relu}},
    {"leaky_relu",
     [](at::Tensor x) { return at::leaky_relu(x); },
     true,
     {},
     Derivative{kernels::Rule::leaky_relu, 0.01F}},
    {"leaky_relu_0.2",
     [](at::Tensor x) { return at::leaky_relu(x, 0.2); },
     true,
     {},
     Derivative{kernels::Rule::leaky_relu, 0.2F}},
    {"tanh", [](at::Tensor x) { return at::tanh(x); }, true, between(-1, 1), Derivative{kernels::Rule::tanh}},
    {"sigmoid", [](at::Tensor x) { return at::sigmoid(x); }, true, between(0, 1), Derivative{kernels::Rule::sigmoid}},
    {"gelu", [](at::Tensor x) { return at::gelu(x); }, false, at_least(-0.18)},
    {"elu", [](at::Tensor x) { return at::elu(x); }, true, at_least(-1), Derivative{kernels::Rule::elu}},
    {"silu", [](at::Tensor x) { return at::silu(x); }, false, at_least(-0.28)},
};

}  // namespace

Activation::Activation(const std::string& name) {
  std::vector<std::string> names;
  for (const Entry& entry : table) {
    names.emplace_back(entry.name);
    if (entry.name != name) continue;
    apply_ = entry.apply;
    monotone_ = entry.monotone;
    range_ = entry.range;
    derivative_ = entry.derivative;
    return;
  }
  throw ConfigError({"activation", "one of " + join(names), quote(name), did_you_mean(name, names)});
}

}  // namespace vaetl::nn
