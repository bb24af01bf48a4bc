// The reference that tests/parity/nn_layers.py computed with PyTorch in float64.
#pragma once
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "vaetl/core/json.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::testing {

inline const TensorFile& reference_file() {
  static const TensorFile file = read_safetensors("tests/parity/nn_layers.safetensors");
  return file;
}

class Reference {
 public:
  explicit Reference(std::string name) : name_(std::move(name)) {}
  const at::Tensor& operator[](const std::string& key) const { return reference_file().tensors.at(name_ + "/" + key); }
  // "weights.…" without the prefix.
  Weights weights(const std::string& kind = "weights") const {
    const std::string prefix = name_ + "/" + kind + ".";
    Weights result;
    for (const auto& [name, tensor] : reference_file().tensors) {
      if (name.starts_with(prefix)) result[name.substr(prefix.size())] = tensor;
    }
    return result;
  }

 private:
  std::string name_;
};

// float32 against float64: every value here is at most eight layers of sums of at most 100 products, each rounded by
// 2⁻²⁴; 8 · 100 · 2⁻²⁴ = 5e-5 of the largest value bounds the error. A wrong sign or a missing factor is far beyond it.
inline constexpr double relative_tolerance = 5e-5;

inline double largest(const at::Tensor& values) { return values.abs().max().item<double>(); }

inline void expect_close(const at::Tensor& found, const at::Tensor& expected, const std::string& what,
                         double scale = 1) {
  ASSERT_EQ(found.sizes(), expected.sizes()) << what;
  const double error = largest(found.detach().to(at::kDouble) - expected.to(at::kDouble));
  EXPECT_LE(error, relative_tolerance * std::max(scale, largest(expected))) << what;
}

// "encoder.0.conv.bias" → "encoder.0": gradients of one block are sums over the same values, and where they cancel (a
// bias before a norm has none) the error is that of the terms.
inline std::string block_of(const std::string& name) { return name.substr(0, name.find('.', name.find('.') + 1)); }

inline double block_scale(const Weights& gradients, const std::string& name) {
  double scale = 1;
  for (const auto& [other, gradient] : gradients) {
    if (block_of(other) == block_of(name)) scale = std::max(scale, largest(gradient));
  }
  return scale;
}

// The gradients of a loss for every parameter, against "grad.NAME".
inline void expect_gradients(torch::nn::Module& module, const at::Tensor& loss, const Reference& reference) {
  module.zero_grad();
  loss.backward();
  const Weights expected = reference.weights("grad");
  for (const auto& item : module.named_parameters()) {
    const std::string& name = item.key();
    ASSERT_TRUE(item.value().grad().defined()) << name;
    expect_close(item.value().grad(), expected.at(name), "gradient of " + name, block_scale(expected, name));
  }
}

}  // namespace vaetl::testing
