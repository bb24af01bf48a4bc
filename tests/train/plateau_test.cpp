// A rate that follows results: against PyTorch (tests/parity/schedules.py), and in a training that is resumed.
#include "vaetl/train/plateau.hpp"

#include <limits>

#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "train/fixture.hpp"
#include "vaetl/objectives/cross_entropy.hpp"

namespace vaetl::testing::plateau_test {
namespace {

TEST(Plateau, FactorsEqualPyTorchs) {
  const Json cases = read_json("tests/parity/schedules.json")["plateaus"];
  ASSERT_EQ(cases.size(), 4u);
  for (const Json& each : cases) {
    const auto options = from_json<PlateauOptions>(each["options"], "plateau");
    const auto values = each["values"].get<std::vector<double>>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::vector<double> so_far(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      const double expected = each["factors"][i].get<double>();
      ASSERT_NEAR(plateau_factor(options, so_far, each["higher_is_better"].get<bool>()), expected, 1e-13 * expected)
          << each["options"].dump() << " after " << i;
    }
  }
}

TEST(Plateau, EntriesSinceTheBest) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(entries_since_best({}, true), 0);
  EXPECT_EQ(entries_since_best({1, 2, 3}, true), 0);
  EXPECT_EQ(entries_since_best({1, 2, 3}, false), 2);
  EXPECT_EQ(entries_since_best({1, 1, 1}, false), 2);  // equal is no improvement
  EXPECT_EQ(entries_since_best({nan, 1, nan}, true), 1);
  EXPECT_EQ(entries_since_best({nan, nan}, true), 2);
}

TEST(Plateau, EveryMemberIsDescribed) { expect_fields_cover<PlateauOptions>(); }

TrainerOptions falling(const std::string& directory, const std::string& at, std::int64_t every) {
  return {.epochs = 8,
          .batch_size = 16,
          .optimizer = {"adamw", {{"lr", 0.02}}},
          .plateau = PlateauOptions{.factor = 0.5, .patience = 1, .threshold = 0.5},
          .device = "cpu",
          .monitor = "cross_entropy",
          .directory = directory,
          .resume = directory.empty() ? "never" : "auto",
          .checkpoint_every = 17,
          .validate_every = every,
          .validate_at = at};
}

Run fit_falling(const TrainerOptions& options, std::vector<std::shared_ptr<Callback>> callbacks,
                std::shared_ptr<Model> model) {
  Pipeline data = blobs(70);
  data.validation = blobs(40, 4, 5);
  return Trainer(options, std::move(callbacks))
      .fit(std::move(model), make<objectives::CrossEntropy>(), data, {}, {"cross_entropy"});
}

const Json plateau_mlp = {{"widths", {16}}, {"classes", 4}};

// By entries at the ends of epochs, and within them.
TEST(Plateau, TheRateFallsInATrainingAndIsTheSameWhenItIsResumed) {
  for (const auto& [at, every] : std::map<std::string, std::int64_t>{{"epoch", 1}, {"step", 3}}) {
    auto whole = small("mlp", plateau_mlp);
    const vaetl::Run straight = fit_falling(falling("", at, every), {}, whole);
    EXPECT_EQ(straight.history.front().at("lr_factor"), 1);
    EXPECT_LT(straight.history.back().at("lr_factor"), 1);
    for (const std::int64_t stop : {20, 33}) {
      TemporaryFolder folder;
      const auto options = falling(folder.path(), at, every);
      fit_falling(options, {std::make_shared<StopAt>(stop)}, small("mlp", plateau_mlp));
      auto second = small("mlp", plateau_mlp, 99);
      const vaetl::Run rest = fit_falling(options, {}, second);
      EXPECT_EQ(rest.resumed_from, stop);
      EXPECT_EQ(checksum(*second), checksum(*whole)) << at << " " << stop;
      EXPECT_EQ(rest.history.size(), straight.history.size());
      EXPECT_EQ(rest.history.back().at("lr_factor"), straight.history.back().at("lr_factor"));
    }
  }
}

TEST(Plateau, FollowsTheLossWithoutAMonitor) {
  TrainerOptions options = falling("", "epoch", 1);
  options.monitor.clear();
  options.plateau->threshold = 100;  // nothing is enough
  const vaetl::Run run = fit_falling(options, {}, small("mlp", plateau_mlp));
  // The first value is an improvement, each one after it is none.
  for (std::size_t i = 0; i < run.history.size(); ++i) {
    EXPECT_EQ(run.history[i].at("lr_factor"), std::pow(0.5, i < 2 ? 0 : i - 1)) << i;
  }
}

}  // namespace
}  // namespace vaetl::testing::plateau_test
