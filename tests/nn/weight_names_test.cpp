#include "vaetl/nn/weight_names.hpp"

#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "nn/models.hpp"
#include "support/expect_error.hpp"

namespace vaetl::testing::weight_names_test {
namespace {

// As PyTorch before 0.4.1 wrote it.
Weights without_counters(const Model& model, const std::string& prefix = {}) {
  Weights weights;
  for (const auto& [name, tensor] : state(model)) {
    if (!is_batch_counter(name)) weights.emplace(prefix + name, tensor);
  }
  return weights;
}

TEST(WeightNames, Counters) {
  EXPECT_TRUE(is_batch_counter("bn1.num_batches_tracked"));
  EXPECT_TRUE(is_batch_counter("num_batches_tracked"));
  EXPECT_FALSE(is_batch_counter("my_num_batches_tracked"));
  EXPECT_FALSE(is_batch_counter("num_batches_tracked.weight"));
}

TEST(WeightNames, OldFilesLackCounters) {
  const auto from = tiny(), to = tiny();
  const Weights old = without_counters(*from);
  ASSERT_EQ(old.size() + 1, state(*from).size());
  load_strict(*to, old, "old.pth");
  EXPECT_TRUE(at::equal(state(*to).at("down.weight"), state(*from).at("down.weight")));
  EXPECT_EQ(state(*to).at("norm.num_batches_tracked").item<std::int64_t>(), 0);
  const LoadReport report = load(*to, old);
  ASSERT_EQ(report.initialised.size(), 1u);
  EXPECT_EQ(report.initialised[0].name, "norm.num_batches_tracked");
  EXPECT_EQ(report.initialised[0].note, "initialised to 0, as old files of PyTorch lack it");
  Weights less = old;
  less.erase("norm.running_mean");
  expect_error<FileError>([&] { load_strict(*to, less, "old.pth"); }, {"old.pth: ", "found no norm.running_mean; use"});
}

TEST(WeightNames, APrefixOfAllIsTold) {
  const auto model = tiny();
  const Weights own = state(*model);
  EXPECT_EQ(foreign_prefix(without_counters(*model, "module."), own), "module.");
  EXPECT_EQ(foreign_prefix(without_counters(*model, "net.module."), own), "net.module.");
  EXPECT_EQ(foreign_prefix(own, own), "");
  EXPECT_EQ(foreign_prefix({}, own), "");
  Weights mixed = without_counters(*model, "module.");
  mixed.emplace("zzz", at::ones({1}));
  EXPECT_EQ(foreign_prefix(mixed, own), "");
  expect_error<FileError>([&] { load_strict(*model, without_counters(*model, "module."), "f.pth"); },
                          {"all names begin with \"module.\": take it off by FILE?strip_prefix=module."});
}

}  // namespace
}  // namespace vaetl::testing::weight_names_test
