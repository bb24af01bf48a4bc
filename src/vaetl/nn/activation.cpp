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
};

// In the order of `activations`. Only relu runs in place: it is the one whose gradient needs its result alone and that
// is used on large maps.
constexpr Entry table[] = {
    {"relu", [](at::Tensor x) { return at::relu_(x); }, true},
    {"leaky_relu", [](at::Tensor x) { return at::leaky_relu(x); }, true},
    {"leaky_relu_0.2", [](at::Tensor x) { return at::leaky_relu(x, 0.2); }, true},
    {"tanh", [](at::Tensor x) { return at::tanh(x); }, true},
    {"sigmoid", [](at::Tensor x) { return at::sigmoid(x); }, true},
    {"gelu", [](at::Tensor x) { return at::gelu(x); }, false},
    {"elu", [](at::Tensor x) { return at::elu(x); }, true},
    {"silu", [](at::Tensor x) { return at::silu(x); }, false},
};

}  // namespace

Activation::Activation(const std::string& name) {
  std::vector<std::string> names;
  for (const Entry& entry : table) {
    names.emplace_back(entry.name);
    if (entry.name != name) continue;
    apply_ = entry.apply;
    monotone_ = entry.monotone;
    return;
  }
  throw ConfigError({"activation", "one of " + join(names), quote(name), did_you_mean(name, names)});
}

}  // namespace vaetl::nn
