// Ways through latent spaces, from the outside: where they begin and end, and that steps are equal.
#include "vaetl/recipe/latent_path.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/temporary_folder.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/recipe/reconstruct.hpp"
#include "vaetl/recipe/run.hpp"

namespace vaetl::testing::latent_path_test {
namespace {

using recipe::Way;

TEST(PointBetween, FollowsTheCircle) {
  const at::Tensor a = at::tensor({2., 0., 0.}).unsqueeze(0), b = at::tensor({0., 2., 0.}).unsqueeze(0);
  const at::Tensor points = recipe::point_between(a, b, at::linspace(0, 1, 7, at::kDouble), Way::circle);
  EXPECT_TRUE(points.norm(2, 1).allclose(at::full({7}, 2., at::kDouble), 0, 1e-12));
  const at::Tensor angle = at::atan2(points.select(1, 1), points.select(1, 0));
  EXPECT_TRUE(angle.allclose(at::linspace(0, M_PI / 2, 7, at::kDouble), 0, 1e-12));
  EXPECT_TRUE(points[0].allclose(a[0]) && points[6].allclose(b[0], 0, 1e-12));
}

TEST(PointBetween, OfUnequalSizesGrowsEvenlyAtTheEnds) {
  const at::Tensor a = at::tensor({1., 0.}).unsqueeze(0), b = at::tensor({0., 3.}).unsqueeze(0);
  const at::Tensor middle = recipe::point_between(a, b, at::tensor({0.5}, at::kDouble), Way::circle)[0];
  const double share = std::sqrt(0.5);  // sin(45°) / sin(90°)
  EXPECT_TRUE(middle.allclose(at::tensor({share, 3 * share}), 0, 1e-12)) << middle;
}

TEST(PointBetween, IsALineWhereThereIsNoCircle) {
  const at::Tensor a = at::tensor({1., 2.}).unsqueeze(0), share = at::tensor({0.25}, at::kDouble);
  EXPECT_TRUE(recipe::point_between(a, -a, share, Way::circle)[0].allclose(a[0] * 0.5));
  EXPECT_TRUE(recipe::point_between(a, 2 * a, share, Way::circle)[0].allclose(a[0] * 1.25));
  EXPECT_TRUE(recipe::point_between(a, at::zeros_like(a), share, Way::line)[0].allclose(a[0] * 0.75));
}

class Ways : public ::testing::Test {
 protected:
  std::shared_ptr<Model> trained(const Json& recipe) {
    return recipe::run(recipe::parse(recipe),
                       {.out = std::filesystem::path(folder_.path()) / "run", .device = "cpu", .data = toy_cache()})
        .model;
  }
  static Dataset one(std::int64_t i) { return toy_splits().test.select(at::full({1}, i, at::kLong)); }

  TemporaryFolder folder_;
};

TEST_F(Ways, BeginAndEndAtWhatIsRebuilt) {
  const auto model = trained(toy_vae_recipe());
  const auto made = recipe::interpolate(*model, one(0), one(25), {.count = 5});
  EXPECT_EQ(made.values.size(0), 5);
  EXPECT_TRUE(made.values[0].allclose(recipe::reconstruct(*model, one(0)).outputs[0], 0, 1e-5));
  EXPECT_TRUE(made.values[4].allclose(recipe::reconstruct(*model, one(25)).outputs[0], 0, 1e-5));
  EXPECT_GT((made.values[2] - made.values[0]).abs().max().item<double>(), 1e-3);
}

TEST_F(Ways, WalksPassTheDrawsAndComeBack) {
  const auto model = trained(toy_vae_recipe());
  const auto draws = recipe::generate(*model, {.count = 3, .seed = 4}).values;
  const auto made = recipe::walk(*model, 3, {.count = 12, .seed = 4}).values;
  EXPECT_EQ(made.size(0), 12);
  for (std::int64_t stop = 0; stop < 3; ++stop) EXPECT_TRUE(made[4 * stop].allclose(draws[stop], 0, 1e-5)) << stop;
  // No jump from the last step to the first: the largest change is between neighbours everywhere else too.
  const at::Tensor jumps = (made - made.roll(1, 0)).flatten(1).norm(2, 1);
  EXPECT_LT(jumps[0].item<double>(), 2 * jumps.slice(0, 1).max().item<double>());
  EXPECT_TRUE(made.equal(recipe::walk(*model, 3, {.count = 12, .seed = 4}).values));
  EXPECT_FALSE(made.equal(recipe::walk(*model, 3, {.count = 12, .seed = 5}).values));
}

TEST_F(Ways, Refusals) {
  const auto vae = trained(toy_vae_recipe());
  expect_error<ConfigError>([&] { recipe::walk(*vae, 1, {}); }, {"walk: expected at least 2 stops, found 1"});
  expect_error<ConfigError>([&] { recipe::walk(*vae, 9, {.count = 8}); },
                            {"walk: expected at least 9 steps, to pass as many stops, found 8"});
  expect_error<ConfigError>([&] { recipe::interpolate(*vae, one(0), one(1), {.count = 1}); }, {"interpolate.count"});
  expect_error<DataError>([&] { recipe::interpolate(*vae, toy_splits().test, one(1)); },
                          {"interpolate: expected one example, found 40"});
  const TemporaryFolder other;
  const auto classifier =
      recipe::run(recipe::parse(toy_recipe()),
                  {.out = std::filesystem::path(other.path()) / "run", .device = "cpu", .data = toy_cache()})
          .model;
  expect_error<ConfigError>([&] { recipe::interpolate(*classifier, one(0), one(1)); },
                            {"interpolate: expected a model that offers Decoder"});
  expect_error<ConfigError>([&] { recipe::walk(*classifier, 2, {}); },
                            {"generate: expected a model that offers Generator"});
}

}  // namespace
}  // namespace vaetl::testing::latent_path_test
