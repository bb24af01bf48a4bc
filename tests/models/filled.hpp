// Tensors that are a formula of a name and a place, as tests/parity/filled.py has them.
#pragma once
#include <ATen/ops/empty.h>

#include <cmath>

#include "vaetl/nn/state.hpp"

namespace vaetl::testing {

// Whole numbers that look random, as float64 in [-1, 1).
inline at::Tensor noise(const std::string& name, std::int64_t count) {
  std::uint32_t start = 2166136261U;
  for (const char c : name) start = (start ^ static_cast<unsigned char>(c)) * 16777619U;
  at::Tensor values = at::empty({count}, at::kDouble);
  auto* to = values.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint32_t x = static_cast<std::uint32_t>(i) * 2654435761U + start;
    x = (x ^ (x >> 16)) * 0x85EBCA6BU;
    x = (x ^ (x >> 13)) * 0xC2B2AE35U;
    x ^= x >> 16;
    to[i] = static_cast<double>(x) / 2147483648.0 - 1;
  }
  return values;
}

// float32: weights of unit gain, scales and variances near 1, biases and means small, counts 0.
inline at::Tensor filled(const std::string& name, at::IntArrayRef shape) {
  const at::Tensor values = noise(name, c10::multiply_integers(shape));
  if (name.ends_with("num_batches_tracked")) {
    values.zero_();
  } else if (shape.size() > 1) {
    values.mul_(std::sqrt(6 / static_cast<double>(c10::multiply_integers(shape.slice(1)))));
  } else if (name.ends_with("running_var") || name.ends_with("weight")) {
    values.mul_(0.25).add_(1);
  } else {
    values.mul_(0.125);
  }
  return values.to(at::kFloat).reshape(shape);
}

inline void fill(torch::nn::Module& module) {
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : state(module)) at::Tensor(tensor).copy_(filled(name, tensor.sizes()));
}

// Of each tensor, in the order of names, its norm and three projections on noise, which any difference in it moves.
inline at::Tensor summary(const Weights& values) {
  const auto count = static_cast<std::int64_t>(values.size());
  at::Tensor rows = at::empty({count, 4}, at::kDouble);
  std::int64_t row = 0;
  for (const auto& [name, tensor] : values) {
    const at::Tensor flat = tensor.detach().to(at::kDouble).contiguous().view({-1});
    rows[row][0] = flat.norm();
    for (std::int64_t k = 0; k < 3; ++k)
      rows[row][k + 1] = flat.dot(noise(name + "/" + std::to_string(k), flat.numel()));
    ++row;
  }
  return rows;
}

}  // namespace vaetl::testing
