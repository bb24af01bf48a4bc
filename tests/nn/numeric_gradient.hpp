// Central differences in float64 against autograd.
#pragma once
#include <ATen/ops/randn_like.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <vector>

namespace vaetl::testing {

// `function` of nothing reads `variables` (float64 leaves that require gradients). With a step of 1e-5 the differences
// are off by about 1e-10 from truncation and 1e-11 from rounding, relative to values near one.
inline void expect_gradients(const std::function<at::Tensor()>& function, const std::vector<at::Tensor>& variables) {
  const at::Tensor output = function();
  const at::Tensor probe = at::randn_like(output.detach());
  auto loss = [&] { return (function() * probe).sum(); };
  const auto gradients = torch::autograd::grad({loss()}, variables);
  constexpr double step = 1e-5;
  const at::NoGradGuard no_grad;
  for (std::size_t v = 0; v < variables.size(); ++v) {
    at::Tensor flat = variables[v].detach().view({-1});
    const at::Tensor gradient = gradients[v].contiguous().view({-1});
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      const double value = flat[i].item<double>();
      flat[i] = value + step;
      const double above = loss().item<double>();
      flat[i] = value - step;
      const double below = loss().item<double>();
      flat[i] = value;
      ASSERT_NEAR(gradient[i].item<double>(), (above - below) / (2 * step), 1e-7)
          << "variable " << v << ", value " << i;
    }
  }
}

}  // namespace vaetl::testing
