// A step length that meets the strong Wolfe conditions, by bracketing and zooming with cubic interpolation
// (Nocedal and Wright, Numerical Optimization, 2nd ed., algorithms 3.5 and 3.6): for φ(t) = L(x + t d),
//   φ(t) ≤ φ(0) + c₁ t φ'(0)  and  |φ'(t)| ≤ c₂ |φ'(0)|,  c₁ = 1e-4, c₂ = 0.9
// Internal to the optimisers.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace vaetl::optim {

struct Trial {
  double t = 0, loss = 0, slope = 0;  // φ(t), φ'(t)
  at::Tensor gradient;                // of L
};

struct LineSearch {
  std::function<Trial(double t)> at;  // evaluates
  double reach = 0;                   // the largest |d|
  std::int64_t most = 25;             // evaluations after the first
  double tolerance = 1e-9;            // a bracket within which no weight would change by more is left
};

struct Found {
  Trial trial;
  std::int64_t evaluations = 0;
};

// From φ(0), beginning at t. Where the evaluations run out: the best of the last bracket.
Found strong_wolfe(const LineSearch& search, const Trial& start, double t);

}  // namespace vaetl::optim
