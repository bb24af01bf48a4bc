// What the tests of objectives share: the reference, batches, terms by name.
#pragma once
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/toy_model.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/objectives/simclr.hpp"

namespace vaetl::testing {

// What tests/parity/objectives.py computed with PyTorch, in float64.
inline const at::Tensor& reference(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/objectives.safetensors");
  return file.tensors.at(name);
}

inline Batch batch(std::initializer_list<std::pair<std::string, at::Tensor>> tensors) {
  Fields fields;
  for (const auto& [key, value] : tensors) fields.set(key, value);
  return {{"train", fields}};
}

inline at::Tensor value(const Terms::Named& terms, const std::string& name) {
  for (const auto& [known, value] : terms) {
    if (known == name) return value;
  }
  ADD_FAILURE() << "no term " << name;
  return at::zeros({}, at::kDouble);
}

inline std::vector<std::string> names(const Terms::Named& terms) {
  std::vector<std::string> result;
  for (const auto& [name, value] : terms) result.push_back(name);
  return result;
}

// Both sides compute the same few hundred operations in float64, so they differ by rounding: 300 · 2⁻⁵³ of values
// near 10.
inline constexpr double tolerance = 1e-12;

inline void expect_near(const at::Tensor& found, const at::Tensor& expected) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_LE((found.detach().to(at::kDouble) - expected).abs().max().item<double>(), tolerance)
      << found << "\n instead of \n"
      << expected;
}

}  // namespace vaetl::testing
