// Where steps went: the phases, the operators, allocations, and the trace.
#include "vaetl/train/profile.hpp"

#include <ATen/ATen.h>

#include "train/fixture.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/profile_recorder.hpp"

namespace vaetl::testing::profile_test {
namespace {

StepProfile profiled(std::int64_t steps, std::int64_t batch_size = 16, bool checks = true) {
  const auto profile = std::make_shared<ProfileSteps>(steps, 2);
  const auto model = small("mlp", {{"widths", {16}}, {"classes", 4}});
  Trainer({.steps = 100, .batch_size = batch_size, .device = "cpu", .checks = checks}, {profile})
      .fit(model, make<objectives::CrossEntropy>(), blobs(640));  // no epoch ends meanwhile
  return profile->result();
}

const StepProfile::Operator* find_operator(const StepProfile& profile, const std::string& name) {
  for (const auto& one : profile.operators) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

TEST(Profile, PhasesAddUpToTheSteps) {
  const StepProfile profile = profiled(4);
  EXPECT_EQ(profile.steps, 4);
  std::vector<std::string> names;
  double sum = 0;
  for (const auto& phase : profile.phases) {
    names.push_back(phase.name);
    sum += phase.seconds;
    EXPECT_GT(phase.seconds, 0) << phase.name;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"data", "forward", "backward", "optimiser", "other"}));
  EXPECT_NEAR(sum, profile.seconds, 1e-9);
}

// A hidden layer and a head, whose products are made within the fused functions.
TEST(Profile, OperatorsAreCountedExactly) {
  const StepProfile profile = profiled(4);
  const std::map<std::string, std::int64_t> calls = {
      {"vaetl::dense", 2}, {"vaetl::dense_backward", 2}, {"vaetl::cross_entropy", 1}, {"aten::_fused_adamw_", 1}};
  for (const auto& [name, count] : calls) {
    const auto* one = find_operator(profile, name);
    ASSERT_NE(one, nullptr) << name;
    EXPECT_EQ(one->calls, 4 * count) << name;
  }
  EXPECT_GT(profile.operator_calls, profile.kernels);
  for (std::size_t i = 1; i < profile.operators.size(); ++i) {
    EXPECT_GE(profile.operators[i - 1].seconds, profile.operators[i].seconds);
  }
  EXPECT_EQ(find_operator(profile, "forward"), nullptr);
}

// A step is the same whatever came before it; times of operators are their own.
TEST(Profile, CountsOfAStepDoNotDependOnHowMany) {
  const StepProfile few = profiled(2), many = profiled(8, 16, false);
  EXPECT_EQ(few.kernels, many.kernels);
  EXPECT_EQ(few.allocations, many.allocations);
  EXPECT_EQ(few.allocated_bytes, many.allocated_bytes);
  double own = 0;
  for (const auto& one : many.operators) own += one.seconds;
  EXPECT_LE(own, many.seconds);
}

TEST(Profile, AllocationsAndTheirPeak) {
  const auto recorder = std::make_shared<StepRecorder>();
  recorder->start();
  {
    const at::Tensor first = at::empty({1000}, at::kByte);
    const at::Tensor second = at::empty({2000}, at::kByte);
  }
  const at::Tensor third = at::empty({500}, at::kByte);
  recorder->stop();
  const at::Tensor later = at::empty({1 << 20}, at::kByte);
  const StepProfile profile = recorder->summarise(1);
  EXPECT_EQ(profile.allocations, 3);
  EXPECT_EQ(profile.allocated_bytes, 3500);
  EXPECT_EQ(profile.peak_bytes, 3000);
  EXPECT_EQ(profile.kernels, 3);  // aten::empty, thrice
}

TEST(Profile, TheTraceIsTraceEventFormat) {
  const Json trace = parse_json(profiled(2).trace, "trace");
  std::map<std::string, int> phases;
  for (const Json& event : trace["traceEvents"]) {
    if (event["ph"] == "M") continue;
    EXPECT_EQ(event["ph"], "X");
    EXPECT_GE(event["ts"].get<double>(), 0);
    EXPECT_GE(event["dur"].get<double>(), 0);
    if (event["cat"] == "phase") ++phases[event["name"]];
  }
  EXPECT_EQ(phases, (std::map<std::string, int>{{"data", 2}, {"forward", 2}, {"backward", 2}, {"optimiser", 2}}));
}

// Nothing is left behind: what runs afterwards, or in a training without the callback, is not recorded.
TEST(Profile, StopsWithItsSteps) {
  const StepProfile profile = profiled(2);
  EXPECT_FALSE(at::hasThreadLocalCallbacks());
  EXPECT_EQ(c10::ThreadLocalDebugInfo::get(c10::DebugInfoKind::PROFILER_STATE), nullptr);
  EXPECT_EQ(profile.steps, 2);
}

TEST(Profile, ChangesNoWeights) {
  const auto weights = [](const std::vector<std::shared_ptr<Callback>>& callbacks) {
    const auto model = small("mlp", {{"widths", {16}}, {"classes", 4}, {"dropout", 0.2}});
    Trainer({.steps = 6, .batch_size = 16, .device = "cpu"}, callbacks)
        .fit(model, make<objectives::CrossEntropy>(), blobs(64));
    return checksum(*model);
  };
  EXPECT_EQ(weights({std::make_shared<ProfileSteps>(100)}), weights({}));
}

}  // namespace
}  // namespace vaetl::testing::profile_test
