// What only watches a training changes no bit of it, whatever its frequency; nor do the threads that prepare batches.
#include "train/fixture.hpp"
#include "vaetl/objectives/adversarial.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/objectives/elbo.hpp"

namespace vaetl::testing::watching_test {
namespace {

struct Family {
  std::string name, model;
  Json options;
  std::function<std::shared_ptr<Objective>()> objective;
  std::vector<std::string> metrics;
};

std::vector<Family> families() {
  return {{"classifier",
           "cnn",
           {{"channels", {4}}, {"dense", {8}}, {"classes", 4}, {"dropout", 0.3}, {"batch_norm", true}},
           [] { return make<objectives::CrossEntropy>(); },
           {"accuracy", "cross_entropy"}},
          {"vae",
           "vae",
           {{"widths", {8}}, {"latent", 3}},
           [] { return make<objectives::Elbo>({.beta = Schedule::linear(0, 1)}); },
           {"elbo"}},
          {"gan",
           "gan",
           {{"widths", {8}}, {"noise", 4}, {"spectral_norm", true}},
           [] { return make<objectives::Adversarial>(); },
           {}}};
}

Checksum fit_watched(const Family& family, TrainerOptions options) {
  options.epochs = 4;
  options.batch_size = 16;
  options.ema_decay = 0.9;
  options.device = "cpu";
  Stream stream{.data = blobs(70), .augment = {{"shift", {{"pixels", 2}}}, {"flip", Json::object()}}};
  Pipeline data({stream});
  if (!family.metrics.empty()) data.validation = blobs(30, 4, 3);
  auto model = small(family.model, family.options);
  Trainer(options).fit(model, family.objective(), data, {}, family.metrics);
  return checksum(*model);
}

TEST(Watching, ChangesNoBit) {
  for (const Family& family : families()) {
    const Checksum plain = fit_watched(family, {.log_every = 50, .validate_every = 50, .checks = false, .workers = 0});
    EXPECT_NE(fit_watched(family, {.seed = 1}), plain) << family.name;
    EXPECT_EQ(fit_watched(family, {.log_every = 1}), plain) << family.name;
    EXPECT_EQ(fit_watched(family, {.log_every = 7, .validate_every = 1}), plain) << family.name;
    EXPECT_EQ(fit_watched(family, {.validate_every = 6, .checks = true}), plain) << family.name;
    EXPECT_EQ(fit_watched(family, {.validate_every = 3, .validate_at = "step"}), plain) << family.name;
    for (const std::int64_t workers : {1, 4}) {
      EXPECT_EQ(fit_watched(family, {.workers = workers}), plain) << family.name << ", workers " << workers;
    }
    const TemporaryFolder folder;
    const TrainerOptions kept{.directory = folder.path(), .checkpoint_every = 7, .keep = 2, .log_every = 3};
    EXPECT_EQ(fit_watched(family, kept), plain) << family.name;
  }
}

// A limit that is not reached, a divergence that does not come.
TEST(Watching, PrecautionsChangeNoBit) {
  const Family family = families()[0];
  const Checksum plain = fit_watched(family, {});
  const TemporaryFolder folder;
  EXPECT_EQ(
      fit_watched(family,
                  {.max_minutes = 60, .max_samples = 100000, .on_divergence = "rewind", .directory = folder.path()}),
      plain);
}

}  // namespace
}  // namespace vaetl::testing::watching_test
