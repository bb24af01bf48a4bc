// What a step costs, in exact numbers: kernels (operators that call no other) and allocations of tensors. They do not
// depend on the machine's speed, so a change that makes the step heavier, or lighter, shows here. Where one is meant,
// the failure prints the new table.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "train/fixture.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/kernels/product.hpp"
#include "vaetl/objectives/adversarial.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/objectives/reconstruction.hpp"
#include "vaetl/train/profile.hpp"

namespace vaetl::testing::step_cost_test {
namespace {

struct Cost {
  std::string workload;
  double kernels, allocations;
};

const std::vector<Cost> expected = {
    // clang-format off
    {"autoencoder", 137, 42},
    {"vae", 153, 55},
    {"conv_vae", 305, 116},
    {"mlp", 75, 26},
    {"cnn", 119, 37},
    {"lstm", 121, 45},
    {"dcgan", 379, 175},
    // clang-format on
};

struct Workload {
  std::shared_ptr<Model> model;
  std::shared_ptr<Objective> objective;
  Dataset data;
};

Dataset pictures() { return blobs(256, 4, 0, 28).without("target"); }

Workload workload(const std::string& name) {
  const auto model = [](const std::string& kind, const Json& options) { return small(kind, options, 1, 28); };
  if (name == "autoencoder") {
    return {model(name, {{"widths", {64, 32}}, {"latent", 32}}), make<objectives::Reconstruction>(), pictures()};
  }
  if (name == "vae") return {model(name, {{"widths", {400}}, {"latent", 20}}), make<objectives::Elbo>(), pictures()};
  if (name == "conv_vae") {
    return {model(name, {{"channels", {8, 16}}, {"dense", {32}}, {"latent", 8}}), make<objectives::Elbo>(), pictures()};
  }
  if (name == "dcgan") {
    return {model(name, {{"channels", {8, 16}}, {"noise", 16}}), make<objectives::Adversarial>(), pictures()};
  }
  const auto labelled = blobs(256, 4, 0, 28);
  const auto loss = make<objectives::CrossEntropy>();
  if (name == "mlp") return {model(name, {{"widths", {128}}, {"classes", 4}}), loss, labelled};
  if (name == "cnn") return {model(name, {{"channels", {8}}, {"dense", {32}}, {"classes", 4}}), loss, labelled};
  return {model(name, {{"hidden", 16}, {"classes", 4}}), loss, labelled};
}

Cost cost_of(const std::string& name) {
  const Workload work = workload(name);
  const auto profile = std::make_shared<ProfileSteps>(2);
  Trainer({.steps = profile->steps_needed(), .batch_size = 32, .device = "cpu", .workers = 0}, {profile})
      .fit(work.model, work.objective, work.data);
  return {name, profile->result().kernels, profile->result().allocations};
}

TEST(StepCost, KernelsAndAllocationsAreAsTheyWere) {
  if (!nn::kernels::quick_products()) GTEST_SKIP() << "where products are LibTorch's, it is called more often";
  const int threads = at::get_num_threads();
  at::set_num_threads(1);  // kernels that share work may allocate for each thread
  std::string table;
  bool equal = true;
  for (const Cost& known : expected) {
    const Cost found = cost_of(known.workload);
    equal = equal && found.kernels == known.kernels && found.allocations == known.allocations;
    table += fmt::format("    {{\"{}\", {}, {}}},\n", found.workload, found.kernels, found.allocations);
  }
  at::set_num_threads(threads);
  EXPECT_TRUE(equal) << "a step now costs (kernels, allocations):\n" << table;
}

// The gauge sees what it should.
TEST(StepCost, AnotherLayerCostsMore) {
  const auto kernels = [](const Json& widths) {
    const auto profile = std::make_shared<ProfileSteps>(1);
    Trainer({.steps = profile->steps_needed(), .batch_size = 32, .device = "cpu"}, {profile})
        .fit(small("mlp", {{"widths", widths}, {"classes", 4}}), make<objectives::CrossEntropy>(), blobs(64));
    return profile->result().kernels;
  };
  EXPECT_GT(kernels({16, 16}), kernels({16}));
}

}  // namespace
}  // namespace vaetl::testing::step_cost_test
