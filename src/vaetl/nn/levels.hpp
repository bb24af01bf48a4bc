// A likelihood under which every element of x is one of S levels, 0, 1/(S − 1), …, 1: it gives each a probability, so
// that x can be coded without loss. A density gives none. Asked for by what codes and counts bits.
//
//   const auto likelihood = model.decode(z);
//   if (const auto* levels = dynamic_cast<const nn::OverLevels*>(likelihood.get())) use(levels->masses(0));
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vaetl::nn {

struct OverLevels {
  virtual ~OverLevels() = default;
  virtual std::int64_t levels() const = 0;  // S
  // (D, S) float64 on the CPU: P(level k) of each of the D elements of one example of the batch, in row-major order. A
  // row's sum is 1 but for rounding. May be called from several threads.
  virtual at::Tensor masses(std::int64_t example) const = 0;
};

}  // namespace vaetl::nn
