#include "vaetl/core/batch.hpp"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "tests/support/expect_error.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/error.hpp"

namespace vaetl::batch_test {
namespace {

using testing::expect_error;

TEST(Fields, HoldNamedTensors) {
  Fields fields;
  EXPECT_EQ(fields.size(), 0);
  fields.set("input", at::zeros({3, 2}));
  fields.set("target", at::zeros({3}));
  fields.set("target", at::zeros({3}, at::kLong));
  EXPECT_EQ(fields.size(), 3);
  EXPECT_TRUE(fields.has("input"));
  EXPECT_EQ(fields.target().scalar_type(), at::kLong);
  EXPECT_EQ(fields.keys(), (std::vector<std::string>{"input", "target"}));
  fields.erase("input");
  fields.erase("absent");
  EXPECT_FALSE(fields.has("input"));
}

TEST(Fields, AnAbsentOneNamesThoseThatAreThere) {
  Fields fields;
  expect_error<DataError>([&] { fields.input(); }, {"batch: expected a field \"input\", found no fields"});
  fields.set("input", at::zeros({1}));
  fields.set("index", at::zeros({1}));
  expect_error<DataError>([&] { fields.target(); }, {"batch: expected a field \"target\", found only index, input"});
}

TEST(Device, IsChosenByName) {
  EXPECT_EQ(choose_device("cpu"), c10::Device(c10::kCPU));
  EXPECT_NO_THROW(choose_device("auto"));
  for (const std::string name : {"gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:99999", ""}) {
    expect_error<ConfigError>([&] { choose_device(name); },
                              {"device: expected auto, cpu, cuda or cuda:N, found \"" + name});
  }
  expect_error<DeviceError>([] { choose_device("cuda:100"); }, {"a CUDA device cuda:100", "--device cpu"});
}

}  // namespace
}  // namespace vaetl::batch_test
