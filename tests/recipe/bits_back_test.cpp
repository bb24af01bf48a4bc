#include "vaetl/recipe/bits_back.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "support/expect_error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/recipe/level_shares.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::testing::bits_back_test {
namespace {

using recipe::BitsBack;
using recipe::LatentBuckets;
using recipe::LevelShares;

// Every slot belongs to one level, every level has one, and both ways of asking agree.
void expect_partition(const std::vector<double>& masses) {
  const auto levels = static_cast<std::uint32_t>(masses.size());
  const LevelShares shares(masses.data(), levels);
  std::uint32_t end = 0;
  for (std::uint32_t k = 0; k < levels; ++k) {
    const RansShare share = shares.of(k);
    ASSERT_EQ(share.start, end) << k;
    ASSERT_GE(share.count, 1U) << k;
    end = share.start + share.count;
    for (const std::uint32_t slot : {share.start, end - 1}) {
      const auto found = shares.at(slot);
      EXPECT_EQ(found.level, k);
      EXPECT_EQ(found.share.start, share.start);
      EXPECT_EQ(found.share.count, share.count);
    }
  }
  EXPECT_EQ(end, 1U << LevelShares::bits);
}

TEST(LevelShares, FillAllSlots) {
  std::mt19937 random(1);
  std::vector<double> masses(256);
  double total = 0;
  for (double& mass : masses) total += mass = std::exp(5 * std::normal_distribution<>()(random));
  for (double& mass : masses) mass /= total;
  expect_partition(masses);
  const LevelShares shares(masses.data(), 256);
  for (std::uint32_t k = 0; k < 256; ++k)
    EXPECT_NEAR(shares.of(k).count, std::ldexp(masses[k], 24), 3 + 300 * masses[k]);
  expect_partition({0.25, 0.75});
  std::vector<double> sure(256);
  sure[7] = 1;
  expect_partition(sure);
  sure[255] = 1;  // more than all there is
  expect_partition(sure);
  sure[9] = std::numeric_limits<double>::quiet_NaN();
  expect_partition(sure);
}

TEST(LatentBuckets, FillAllSlotsAndAreAsLikelyAsTheirMass) {
  const LatentBuckets buckets;
  const double infinity = std::numeric_limits<double>::infinity(), none = std::numeric_limits<double>::quiet_NaN();
  const std::vector<LatentBuckets::Normal> cases = {{0, 1}, {-0.7, 0.02},  {3, 0.3}, {50, 1e-4},
                                                    {0, 0}, {0, infinity}, {none, 1}};
  for (const auto& normal : cases) {
    std::uint32_t end = 0;
    for (std::uint32_t b = 0; b < 1U << LatentBuckets::prior_bits; ++b) {
      const RansShare share = buckets.share(b, normal);
      ASSERT_EQ(share.start, end) << normal.mean << ' ' << b;
      end += share.count;
      if (share.count == 0) continue;
      ASSERT_EQ(buckets.bucket_at(share.start, normal), b);
      ASSERT_EQ(buckets.bucket_at(end - 1, normal), b);
    }
    EXPECT_EQ(end, 1U << LatentBuckets::posterior_bits);
  }
  // A standard normal has equal masses; the median of the upper half is 0.67449 (tables of the normal distribution).
  EXPECT_NEAR(buckets.share(123, {0, 1}).count, 1 << 12, 2);
  EXPECT_NEAR(buckets.middle(3 << 14), 0.67449, 1e-4);
  EXPECT_NEAR(buckets.middle(1 << 15), 0, 1e-4);
}

std::shared_ptr<Model> vae(const Json& changes = Json::object()) {
  seed(5);
  Json options = {{"input", {1, 8, 8}}, {"widths", {16}}, {"latent", 4}, {"likelihood", "beta_binomial"}};
  options.update(changes);
  auto model = build({"vae", options});
  model->eval();
  return model;
}

// Grey squares with a brighter part, which no codec of pictures knows about.
at::Tensor pictures(std::int64_t count, std::int64_t levels = 256) {
  auto random = make_generator(7);
  const at::Tensor values = at::randint(0, 200, {count, 1, 8, 8}, random, at::TensorOptions(at::kByte));
  values.slice(2, 0, 4).add_(50);
  return levels == 2 ? values.gt(120).to(at::kByte).mul(255) : values;
}

TEST(BitsBack, GivesBackEveryPictureWhateverTheirNumber) {
  for (const std::string likelihood : {"beta_binomial", "discretised_logistic", "bernoulli"}) {
    const auto model = vae({{"likelihood", likelihood}});
    for (const std::int64_t count : {1, 17, 130, 1100}) {
      SCOPED_TRACE(fmt::format("{} {}", likelihood, count));
      const BitsBack coder(*model, recipe::chains_for(count));
      const at::Tensor given = pictures(count, likelihood == "bernoulli" ? 2 : 256);
      const auto streams = coder.encode(given);
      EXPECT_EQ(static_cast<std::int64_t>(streams.size()), recipe::chains_for(count));
      EXPECT_TRUE(at::equal(coder.decode(streams, count, "here"), given));
    }
  }
}

// −ELBO bits, which the metric measures with samples of its own: 600 pictures of 64 pixels of some 8 bits, where the
// bound of one sample deviates by less than one in a hundred; and what four chains begin with.
TEST(BitsBack, TakesAsManyBitsAsTheBoundSays) {
  const auto model = vae();
  const at::Tensor given = pictures(600);
  Fields fields;
  fields.set("input", given);
  const double elbo = evaluate(*model, Dataset::from_tensors(fields), {"elbo"}).at("elbo");
  const double bound = -elbo * 600 / std::log(2.0);
  double bits = 0;
  for (const auto& words : BitsBack(*model, 4).encode(given)) bits += 32.0 * static_cast<double>(words.size());
  EXPECT_NEAR(bits, bound, 0.01 * bound + 4 * (64 + 4 * 28));
  EXPECT_GT(bits, 0.99 * bound);
}

TEST(BitsBack, IsTheSameOnAnyNumberOfThreads) {
  const int before = at::get_num_threads();
  const auto model = vae();
  const at::Tensor given = pictures(300);
  at::set_num_threads(1);
  const BitsBack coder(*model, 4);
  const auto one = coder.encode(given);
  const std::string fingerprint = coder.fingerprint();
  at::set_num_threads(3);
  EXPECT_EQ(coder.encode(given), one);
  EXPECT_EQ(coder.fingerprint(), fingerprint);
  EXPECT_TRUE(at::equal(coder.decode(one, 300, "here"), given));
  EXPECT_EQ(at::get_num_threads(), 3);
  at::set_num_threads(before);
}

TEST(BitsBack, OtherWeightsHaveAnotherFingerprint) {
  const auto model = vae();
  const std::string before = BitsBack(*model, 2).fingerprint();
  EXPECT_EQ(BitsBack(*vae(), 2).fingerprint(), before);
  const at::NoGradGuard no_grad;
  at::Tensor bias = model->named_parameters()["latent.mean.bias"];
  bias[1] += 1e-6;
  EXPECT_NE(BitsBack(*model, 2).fingerprint(), before);
}

TEST(BitsBack, SaysWhichModelsItTakes) {
  const auto refused = [](const Json& changes, std::initializer_list<std::string_view> parts) {
    const auto model = vae(changes);
    expect_error<ConfigError>([&] { BitsBack(*model, 1); }, parts);
  };
  refused({{"likelihood", "gaussian"}},
          {"compress: expected a likelihood that gives each level of a pixel a probability", "found a density",
           "beta_binomial"});
  refused({{"likelihood", "learned_gaussian"}}, {"found a density"});
  refused({{"prior", "mixture"}, {"components", 3}}, {"the prior N(0, 1)", "one that was learned"});
  refused({{"conditions", 3}}, {"a model of pictures alone", "choose a VAE without conditions"});
  const auto mlp = build({"mlp", {{"input", {1, 8, 8}}, {"widths", {4}}, {"classes", 2}}});
  expect_error<ConfigError>([&] { BitsBack(*mlp, 1); }, {"compress: expected a model that offers Variational"});
  const auto standardised = vae();
  standardised->set_preprocess(Json::array({{{"name", "standardise"}, {"mean", {100}}, {"std", {50}}}}));
  expect_error<ConfigError>([&] { BitsBack(*standardised, 1); }, {"preprocessing that takes bytes to the levels"});
}

TEST(BitsBack, SaysWhichPicturesItTakes) {
  const auto grey = vae(), binary = vae({{"likelihood", "bernoulli"}});
  expect_error<DataError>(
      [&] {
        BitsBack(*binary, 1).encode(at::full({2, 1, 8, 8}, 37, at::kByte));
      },
      {"pictures: expected pixels that the model tells apart, 0 or 255, found 37", "beta_binomial"});
  expect_error<DataError>(
      [&] {
        BitsBack(*grey, 1).encode(at::zeros({2, 1, 8, 9}, at::kByte));
      },
      {"uint8 of shape (any, 1, 8, 8)", "uint8 of shape (2, 1, 8, 9)"});
  binary->set_preprocess(Json::array({"scale", "binarise"}));
  const at::Tensor given = pictures(9, 2);
  const BitsBack coder(*binary, 1);
  EXPECT_TRUE(at::equal(coder.decode(coder.encode(given), 9, "here"), given));
}

}  // namespace
}  // namespace vaetl::testing::bits_back_test
