// The test of the design: a new model and a new objective in a folder of their own, registered by a user's program,
// trained by a recipe, with no other file touched.
#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"
#include "vaetl/nn/layers.hpp"
#include "vaetl/objectives/objective.hpp"
#include "vaetl/recipe/run.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::testing {
namespace {

// A linear autoencoder: PCA by gradient descent.
class LinearAutoencoder final : public Model, public Encoder {
 public:
  static constexpr std::string_view name = "linear_autoencoder";
  struct Options {
    std::int64_t size = 784, code = 8;
    static constexpr auto fields() {
      return std::tuple{field("size", &Options::size, "values of an input", at_least(1)),
                        field("code", &Options::code, "values of the code", at_least(1))};
    }
  };
  explicit LinearAutoencoder(Options o) : Model(vaetl::spec<LinearAutoencoder>(o)), options_(o) {
    down_ = register_module("down", std::make_shared<nn::Linear>(o.size, o.code));
    up_ = register_module("up", std::make_shared<nn::Linear>(o.code, o.size));
  }
  std::vector<LayerGroup> layer_groups() const override { return {{"encoder", {"down"}}, {"decoder", {"up"}}}; }
  Signature signature() const override { return {{{"input", {{1, 28, 28}, at::kFloat, 0, 1}}}}; }
  at::Tensor encode(const Fields& fields) override { return down_->forward(fields.input().flatten(1)); }
  std::int64_t feature_size() const override { return options_.code; }
  ModelSpec classifier(std::int64_t) const override { return spec(); }
  at::Tensor reconstruct(const at::Tensor& code) { return up_->forward(code); }

 private:
  Options options_;
  std::shared_ptr<nn::Linear> down_, up_;
};

class SquaredError final : public Objective {
 public:
  static constexpr std::string_view name = "squared_error";
  struct Options {
    double scale = 1;
    static constexpr auto fields() { return std::tuple{field("scale", &Options::scale, "factor", at_least(0))}; }
  };
  explicit SquaredError(Options options) : options_(options) {}
  Needs needs() const override { return {.capabilities = {"Encoder"}, .fields = {"input"}}; }
  Terms terms(std::size_t, Pass& pass) override {
    auto& model = dynamic_cast<LinearAutoencoder&>(pass.model());
    const at::Tensor difference = model.reconstruct(pass.features()) - pass.fields().input().flatten(1);
    return Terms().add("error", options_.scale * pass.mean(difference.square().sum(1)));
  }

 private:
  Options options_;
};

Json recipe() {
  return Json{
      {"name", "extension"},
      {"data", {{"open", "fashion-mnist"}, {"take_per_class", 30}}},
      {"model", {{"name", "linear_autoencoder"}, {"code", 4}}},
      {"objective", {{"name", "squared_error"}, {"scale", 0.5}}},
      {"trainer",
       {{"epochs", 8}, {"batch_size", 50}, {"validate_every", 1}, {"optimizer", {{"name", "adam"}, {"lr", 0.01}}}}}};
}

TEST(Extension, AUsersModelAndObjectiveTrainByARecipe) {
  registry<Model>().add<LinearAutoencoder>();
  registry<Objective>().add<SquaredError>();
  TemporaryFolder folder;
  const auto outcome = recipe::run(recipe::parse(recipe()), {.out = folder.path() + "/run", .device = "cpu"});
  const auto& history = outcome.run.history;
  EXPECT_LT(history.back().at("error"), 0.5 * history.front().at("error"));
  EXPECT_TRUE(std::filesystem::exists(folder.path() + "/run/model/model.safetensors"));

  auto still = recipe();
  still["trainer"]["optimizer"]["lr"] = 0;
  const auto untrained = recipe::run(recipe::parse(still), {.device = "cpu"});
  EXPECT_NEAR(untrained.run.history.back().at("error"), untrained.run.history.front().at("error"), 1e-3);
}

}  // namespace
}  // namespace vaetl::testing
