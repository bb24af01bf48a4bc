#include "vaetl/nn/plain_forms.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/function.h>

#include "vaetl/nn/fused.hpp"

namespace vaetl::testing::plain_forms_test {
namespace {

at::Tensor dense_of(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const nn::DenseLayer layer{weight, bias, nn::Activation("relu")};
  return nn::dense(x, {&layer, 1});
}

TEST(PlainForms, AreWhatRunsWhileOneIsWanted) {
  const at::Tensor x = at::rand({3, 4}), weight = at::rand({2, 4}).requires_grad_(), bias = at::rand({2});
  const at::Tensor fused = dense_of(x, weight, bias);
  EXPECT_EQ(fused.grad_fn()->name().find("Relu"), std::string::npos) << fused.grad_fn()->name();
  {
    const nn::PlainForms wanted;
    EXPECT_TRUE(nn::PlainForms::wanted());
    const at::Tensor plain = dense_of(x, weight, bias);
    EXPECT_NE(plain.grad_fn()->name().find("Relu"), std::string::npos) << plain.grad_fn()->name();
    EXPECT_TRUE(at::allclose(plain, fused, 1e-6, 1e-6));
  }
  EXPECT_FALSE(nn::PlainForms::wanted());
}

}  // namespace
}  // namespace vaetl::testing::plain_forms_test
