// The closed set of activation functions, each as its PyTorch namesake with its defaults: leaky_relu has slope 0.01
// (leaky_relu_0.2 that of arXiv:1511.06434), elu α = 1, gelu is the exact one.
#pragma once
#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

#include "vaetl/core/config.hpp"
#include "vaetl/nn/kernels/kernels.hpp"

namespace vaetl::nn {

inline constexpr Choices activations = {"relu", "leaky_relu", "leaky_relu_0.2", "tanh", "sigmoid", "gelu",
                                        "elu",  "silu"};

// A derivative that can be told from the activation's result.
struct Derivative {
  kernels::Rule rule = kernels::Rule::identity;
  float slope = 0;  // of leaky_relu below 0
};

class Activation {
 public:
  Activation() = default;                        // the identity
  explicit Activation(const std::string& name);  // ConfigError lists the names
  // Takes a fresh result of a layer, which it may overwrite.
  at::Tensor operator()(at::Tensor fresh) const { return apply_ ? apply_(std::move(fresh)) : fresh; }
  // Does it commute with a maximum? Then pooling first gives the same values for a quarter of the work.
  bool monotone() const { return monotone_; }
  Range range() const { return range_; }  // of its values
  std::optional<Derivative> derivative() const { return derivative_; }

 private:
  at::Tensor (*apply_)(at::Tensor) = nullptr;
  bool monotone_ = true;
  Range range_;
  std::optional<Derivative> derivative_ = Derivative{};
};

}  // namespace vaetl::nn
