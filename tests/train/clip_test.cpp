// Clipped gradients against torch.nn.utils and the paper's equation (tests/parity/optimizers.py).
#include "vaetl/train/clip.hpp"

#include <gtest/gtest.h>

#include "vaetl/io/safetensors.hpp"

namespace vaetl::testing::clip_test {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

const Tensors& reference() {
  static const Tensors all = read_safetensors("tests/parity/optimizers.safetensors").tensors;
  return all;
}

const std::vector<std::string> keys = {"kernel", "matrix", "bias", "head"};

ParameterSet parameters() {
  ParameterSet set;
  for (const std::string& key : keys) {
    set.names.push_back(key);
    set.parameters.push_back(reference().at("clip.weight." + key).clone());
    set.parameters.back().mutable_grad() = reference().at("clip.gradient." + key).clone();
  }
  return set;
}

// A factor from a sum of up to 60 squares, and a product: a few roundings of values below 4 to float32.
void expect_gradients(const ParameterSet& set, const std::string& name) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const at::Tensor error = set.parameters[i].grad().to(at::kDouble) - reference().at("clip." + name + "." + keys[i]);
    EXPECT_LE(error.abs().max().item<double>(), 8 * std::pow(2.0, -22)) << name << " " << keys[i];
  }
}

TEST(Clip, ByNormByValueAndAdaptively) {
  for (const auto& [name, limits] : {std::pair{"norm", ClipLimits{.norm = 0.7}},
                                     {"value", ClipLimits{.value = 0.4}},
                                     {"adaptive", ClipLimits{.adaptive = 0.05}}}) {
    const ParameterSet set = parameters();
    GradientClip(limits, {set}, {"head"}).apply();
    expect_gradients(set, name);
  }
}

TEST(Clip, GradientsWithinTheLimitsKeepEveryBit) {
  const ParameterSet set = parameters();
  GradientClip({.norm = 1e6, .value = 1e6, .adaptive = 1e6}, {set}, {}).apply();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_TRUE(set.parameters[i].grad().equal(reference().at("clip.gradient." + keys[i]))) << keys[i];
  }
}

TEST(Clip, AllLimitsHoldTogetherAndWhatHasNoGradientIsPassedOver) {
  const ParameterSet set = parameters();
  set.parameters[1].mutable_grad().reset();
  GradientClip({.norm = 0.3, .value = 0.01}, {set}, {}).apply();
  double squares = 0;
  for (const at::Tensor& parameter : set.parameters) {
    if (!parameter.grad().defined()) continue;
    EXPECT_LE(parameter.grad().abs().max().item<double>(), 0.01 + 1e-9);
    squares += parameter.grad().square().sum().item<double>();
  }
  EXPECT_LE(squares, 0.3 * 0.3);
}

}  // namespace
}  // namespace vaetl::testing::clip_test
