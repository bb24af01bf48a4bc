// No step waits for the device: values are read at log points only. Seen by counting the operator that reads a scalar.
// With SGD: LibTorch's Adam kernels for the CPU read their step counters, one a parameter, which those for CUDA do not.
#include <ATen/ops/ones.h>
#include <ATen/record_function.h>

#include <atomic>

#include "train/fixture.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/elbo.hpp"
#include "vaetl/objectives/simclr.hpp"

namespace vaetl::testing::synchronisation_test {
namespace {

std::atomic<std::int64_t> reads = 0;

std::unique_ptr<at::ObserverContext> count_reads(const at::RecordFunction& function) {
  if (std::string_view(function.name()) == "aten::_local_scalar_dense") ++reads;
  return nullptr;
}

// Scalars read while so many steps are done, the last of which is the only log point.
std::int64_t reads_in(std::int64_t steps, const std::string& model, const Json& options,
                      const std::shared_ptr<Objective>& objective, std::int64_t views) {
  reads = 0;
  const auto handle = at::addGlobalCallback(at::RecordFunctionCallback(count_reads));
  Trainer trainer({.steps = steps,
                   .batch_size = 16,
                   .optimizer = {"sgd", Json::object()},
                   .clip_norm = 1,
                   .device = "cpu",
                   .log_every = 1000});
  Stream stream{.data = blobs(320), .views = views};
  if (views > 1) stream.augment = {{"shift", {{"pixels", 2}}}, {"flip", Json::object()}};
  trainer.fit(small(model, options), objective, Pipeline({stream}));
  at::removeCallback(handle);
  return reads;
}

TEST(Synchronisation, TheCounterSeesARead) {
  reads = 0;
  const auto handle = at::addGlobalCallback(at::RecordFunctionCallback(count_reads));
  EXPECT_EQ(at::ones({1}).item<float>(), 1);
  at::removeCallback(handle);
  EXPECT_EQ(reads, 1);
}

TEST(Synchronisation, MoreStepsReadNoMore) {
  const Json cnn = {{"channels", {4}}, {"dense", {8}}, {"classes", 4}, {"dropout", 0.1}, {"batch_norm", true}};
  const Json vae = {{"channels", {4}}, {"dense", {8}}, {"latent", 2}};
  const Json encoder = {{"channels", {4}}, {"dense", {8}}, {"classes", 0}};
  const auto more = [](const std::string& model, const Json& options, const auto& objective, std::int64_t views) {
    return reads_in(13, model, options, objective(), views) - reads_in(3, model, options, objective(), views);
  };
  EXPECT_EQ(more(
                "conv_vae", vae, [] { return make<objectives::Elbo>(); }, 1),
            0);
  EXPECT_EQ(more(
                "cnn", encoder, [] { return make<objectives::SimClr>(); }, 2),
            0);
  EXPECT_EQ(more(
                "cnn", cnn, [] { return make<objectives::CrossEntropy>(); }, 1),
            0);
}

}  // namespace
}  // namespace vaetl::testing::synchronisation_test
