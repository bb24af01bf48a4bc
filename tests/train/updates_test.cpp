// Several updates: each moves its own groups only, as often as it says.
#include <ATen/ops/randn.h>

#include "train/fixture.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/layers.hpp"

namespace vaetl::testing::updates_test {
namespace {

// A generator and a critic in one model, as small as they can be.
class Pair final : public Model {
 public:
  static constexpr std::string_view name = "pair";
  struct Options {
    std::int64_t width = 3;
    static constexpr auto fields() { return std::tuple{field("width", &Options::width, "of everything", at_least(1))}; }
  };
  explicit Pair(Options o) : Model(vaetl::spec<Pair>(o)) {
    generator = register_module("generator", std::make_shared<nn::Linear>(o.width, o.width));
    critic = register_module("critic", std::make_shared<nn::Linear>(o.width, 1));
  }
  std::vector<LayerGroup> layer_groups() const override {
    return {{"generator", {"generator"}}, {"critic", {"critic"}}};
  }
  Signature signature() const override { return {{{"input", {{3}, at::kFloat, -1, 1}}}}; }
  std::shared_ptr<nn::Linear> generator, critic;
};

// Watches what the other half does while one half is updated.
class Game final : public Objective {
 public:
  explicit Game(std::int64_t every) : every_(every) {}
  Needs needs() const override { return {.fields = {"input"}}; }
  std::vector<Update> updates() const override {
    return {{.name = "critic", .groups = {"critic"}}, {.name = "generator", .groups = {"generator"}, .every = every_}};
  }
  Terms terms(std::size_t update, Pass& pass) override {
    auto& pair = dynamic_cast<Pair&>(pass.model());
    const auto& real = pass.fields().input();
    const at::Tensor fake = pair.generator->forward(at::randn_like(real));
    if (update == 0) graph_reached_generator |= fake.requires_grad();
    if (update == 1) graph_reached_critic |= pair.critic->weight.requires_grad();
    ++done[update];
    const at::Tensor fake_score = pass.mean(pair.critic->forward(fake).squeeze(1));
    if (update == 1) return Terms().add("generator", -fake_score);
    return Terms().add("critic", fake_score - pass.mean(pair.critic->forward(real).squeeze(1)));
  }
  std::map<std::size_t, int> done;
  bool graph_reached_generator = false, graph_reached_critic = false;

 private:
  std::int64_t every_;
};

struct Watch final : Callback {
  void on_step(Progress& p) override {
    auto& pair = dynamic_cast<Pair&>(p.model);
    sums.push_back(checksum(*pair.generator));
    for (const auto& parameter : p.model.parameters()) gradients_left |= parameter.grad().defined();
  }
  std::vector<Checksum> sums;
  bool gradients_left = false;
};

Dataset points() {
  auto generator = make_generator(3);
  Fields fields;
  fields.set("input", at::randn({32, 3}, generator).clamp(-1, 1));
  return Dataset::from_tensors(std::move(fields), {.fields = {{"input", {{3}, at::kFloat, -1, 1}}}});
}

TEST(Updates, ACriticUpdateLeavesTheGeneratorUntouchedAndCountsAreExact) {
  auto game = std::make_shared<Game>(5);
  auto watch = std::make_shared<Watch>();
  // Without the checks, which compute the terms once before the first step.
  Trainer({.steps = 50, .batch_size = 8, .device = "cpu", .checks = false}, {watch}).fit(make<Pair>(), game, points());
  EXPECT_EQ(game->done[0], 50);
  EXPECT_EQ(game->done[1], 10);
  EXPECT_FALSE(game->graph_reached_generator);
  EXPECT_FALSE(game->graph_reached_critic);
  EXPECT_FALSE(watch->gradients_left);
  for (std::size_t step = 1; step < watch->sums.size(); ++step) {
    const bool generator_turn = (step + 1) % 5 == 0;
    EXPECT_EQ(watch->sums[step] == watch->sums[step - 1], !generator_turn) << "step " << step + 1;
  }
}

TEST(Updates, AreLoggedByTheirTermsAndResume) {
  const auto options = [](const std::string& folder) {
    return TrainerOptions{
        .steps = 23, .batch_size = 8, .device = "cpu", .directory = folder, .resume = "auto", .checkpoint_every = 3};
  };
  const auto fresh = [] {
    seed(4);
    return make<Pair>();
  };
  auto whole = fresh();
  const vaetl::Run run =
      Trainer({.steps = 23, .batch_size = 8, .device = "cpu"}).fit(whole, std::make_shared<Game>(2), points());
  EXPECT_TRUE(run.history.back().contains("critic"));
  EXPECT_TRUE(run.history.back().contains("generator"));
  TemporaryFolder folder;
  Trainer(options(folder.path()), {std::make_shared<StopAt>(10)}).fit(fresh(), std::make_shared<Game>(2), points());
  auto second = fresh();
  EXPECT_EQ(Trainer(options(folder.path())).fit(second, std::make_shared<Game>(2), points()).resumed_from, 10);
  EXPECT_EQ(checksum(*second), checksum(*whole));
}

}  // namespace
}  // namespace vaetl::testing::updates_test
