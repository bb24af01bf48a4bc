#include "vaetl/nn/labels.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "vaetl/core/error.hpp"

namespace vaetl::testing::labels_test {
namespace {

TEST(ClassLabels, BecomeInt64) {
  const at::Tensor labels = class_labels(at::tensor({2, 0, 1}, at::kByte), 3, "accuracy");
  EXPECT_EQ(labels.scalar_type(), at::kLong);
  EXPECT_TRUE(at::equal(labels, at::tensor({2, 0, 1}, at::kLong)));
}

TEST(ClassLabels, SayWhatIsWrong) {
  expect_error<DataError>(
      [] {
        class_labels(at::zeros({3, 2}, at::kLong), 2, "accuracy");
      },
      {"accuracy: expected one label for each example, shape (N), found a target of shape (3, 2)"});
  expect_error<DataError>([] { class_labels(at::zeros({3}), 2, "accuracy"); },
                          {"expected labels of an integer type, found a target of type float32"});
  expect_error<DataError>(
      [] {
        class_labels(at::tensor({0, 3}, at::kLong), 3, "cross_entropy");
      },
      {"cross_entropy: expected labels from 0 to 2, for the model's 3 classes, found the label 3 at "
       "position 1 of the batch; give the model as many classes as the data has labels"});
  expect_error<DataError>([] { class_labels(at::tensor({-1}, at::kLong), 3, "cross_entropy"); },
                          {"found the label -1"});
}

}  // namespace
}  // namespace vaetl::testing::labels_test
