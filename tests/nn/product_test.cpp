#include "vaetl/nn/kernels/product.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <array>

#include "vaetl/nn/fused_support.hpp"

namespace vaetl::product_test {
namespace {

using nn::matrix_of;

// As a product of random values in double precision has it: the rounding of a sum of so many terms grows as their root.
void expect_product(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor exact = at::mm(a.to(at::kDouble), b.to(at::kDouble));
  const double bound = 1e-6 * std::sqrt(static_cast<double>(a.size(1))) * (1 + std::log2(1.0 + a.size(1)));
  EXPECT_LT((c.to(at::kDouble) - exact).abs().max().item<double>(), bound) << a.sizes() << " by " << b.sizes();
}

at::Tensor product(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor c = at::empty({a.size(0), b.size(1)});
  nn::kernels::product(c.mutable_data_ptr<float>(), c.stride(0), matrix_of(a), matrix_of(b));
  return c;
}

// Rows, depth, columns: whole panels and parts of them, few rows and many, depths of several parts.
constexpr std::array<std::array<std::int64_t, 3>, 9> shapes = {{{1, 1, 1},
                                                                {7, 5, 3},
                                                                {8, 16, 16},
                                                                {33, 13, 17},
                                                                {130, 64, 48},
                                                                {5, 1030, 20},
                                                                {12, 2100, 32},
                                                                {129, 9, 1040},
                                                                {64, 100, 7}}};

TEST(Product, EqualsAnyLayout) {
  at::manual_seed(0);
  for (const auto& [rows, depth, columns] : shapes) {
    const at::Tensor a = at::randn({rows, depth}), b = at::randn({depth, columns});
    const at::Tensor a_across = a.t().contiguous().t(), b_across = b.t().contiguous().t();
    for (const at::Tensor& left : {a, a_across}) {
      for (const at::Tensor& right : {b, b_across}) expect_product(product(left, right), left, right);
    }
  }
}

TEST(Product, OfPartsOfMatrices) {
  at::manual_seed(1);
  const at::Tensor a = at::randn({40, 30}), b = at::randn({50, 70});
  const at::Tensor left = a.narrow(0, 3, 20).narrow(1, 5, 24), right = b.narrow(0, 10, 24).narrow(1, 7, 33);
  expect_product(product(left, right), left, right);
  const at::Tensor every_second = at::randn({24, 40}).slice(1, 0, 40, 2);
  expect_product(product(left, every_second), left, every_second);
}

TEST(Product, WritesNothingElse) {
  at::manual_seed(2);
  const at::Tensor a = at::randn({9, 11}), b = at::randn({11, 20}), c = at::full({11, 25}, 7.0F);
  nn::kernels::product(c.mutable_data_ptr<float>() + 25 + 2, 25, matrix_of(a), matrix_of(b));
  expect_product(c.narrow(0, 1, 9).narrow(1, 2, 20), a, b);
  c.narrow(0, 1, 9).narrow(1, 2, 20).fill_(7);
  EXPECT_TRUE(c.eq(7).all().item<bool>());
}

// So the same example has the same result in any batch, and a layer the same gradient on any number of threads.
TEST(Product, OfARowDependsOnNoOther) {
  at::manual_seed(3);
  const at::Tensor a = at::randn({37, 1500}), b = at::randn({1500, 40});
  const at::Tensor all = product(a, b);
  for (const std::int64_t from : {0, 5, 30}) {
    EXPECT_TRUE(product(a.narrow(0, from, 7), b).equal(all.narrow(0, from, 7)));
  }
  EXPECT_TRUE(product(a, b.narrow(1, 3, 20)).equal(all.narrow(1, 3, 20)));
}

TEST(Product, OfTensors) {
  at::manual_seed(4);
  for (const std::int64_t rows : {1, 3, 4, 50}) {
    const at::Tensor a = at::randn({rows, 21}), b = at::randn({21, 18}), c = at::empty({rows, 18});
    nn::multiply(c, a, b);
    expect_product(c, a, b);
  }
}

}  // namespace
}  // namespace vaetl::product_test
