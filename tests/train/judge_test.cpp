// What a classifier says of samples, for generators whose worth is known beforehand.
#include "vaetl/train/judge.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/objectives/cross_entropy.hpp"

namespace vaetl::testing::judge_test {
namespace {

constexpr std::int64_t classes = 4;

// 8×8 pictures of four classes, each with another bright quadrant, plus noise.
Dataset quadrants(std::int64_t per_class, std::uint64_t key) {
  auto random = make_generator(key);
  Fields fields;
  fields.set("target", at::arange(classes).repeat_interleave(per_class));
  at::Tensor pictures = at::randint(0, 120, {classes * per_class, 1, 8, 8}, random, at::TensorOptions(at::kByte));
  for (std::int64_t label = 0; label < classes; ++label) {
    const std::int64_t top = 4 * (label / 2), left = 4 * (label % 2);
    pictures.narrow(0, label * per_class, per_class).slice(2, top, top + 4).slice(3, left, left + 4) += 120;
  }
  fields.set("input", pictures);
  return Dataset::from_tensors(fields, {.name = "quadrants", .classes = {"0", "1", "2", "3"}});
}

// Makes such pictures; of any class where it ignores it, and always the same one a class where it has collapsed.
class Painter final : public Model, public Generator, public Conditional {
 public:
  enum class Kind { faithful, collapsed, careless };
  explicit Painter(Kind kind, std::int64_t conditions = classes)
      : Model({"painter", Json::object()}), kind_(kind), conditions_(conditions) {
    set_preprocess(Json::array({{{"name", "scale"}, {"from", {0, 255}}, {"to", {-1, 1}}}}));
    eval();
  }
  std::vector<LayerGroup> layer_groups() const override { return {}; }
  Signature signature() const override { return {{{"input", {{1, 8, 8}, at::kFloat, -1, 1}}}}; }
  std::int64_t conditions() const override { return conditions_; }
  std::int64_t noise_size() const override { return 64; }
  at::Tensor generate(const at::Tensor& noise, const at::Tensor& condition) override {
    at::Tensor uniform = (0.5 * (1 + (noise / std::sqrt(2.0)).erf())).view({-1, 1, 8, 8}) * 119;
    if (kind_ == Kind::collapsed) uniform = uniform.narrow(0, 0, 1).expand(uniform.sizes());
    at::Tensor pictures = uniform.clone();
    for (std::int64_t i = 0; i < pictures.size(0); ++i) {
      const bool careless = kind_ == Kind::careless || !condition.defined();
      const std::int64_t label = careless ? i % classes : condition[i].item<std::int64_t>();
      const std::int64_t top = 4 * (label / 2), left = 4 * (label % 2);
      pictures[i][0].slice(0, top, top + 4).slice(1, left, left + 4) += 120;
    }
    return pictures / 127.5 - 1;
  }

 private:
  Kind kind_;
  std::int64_t conditions_;
};

class Judge : public ::testing::Test {
 protected:
  static std::shared_ptr<Model> classifier() {
    static const std::shared_ptr<Model> trained = [] {
      seed(1);
      auto model = build({"mlp", {{"input", {1, 8, 8}}, {"widths", {16}}, {"classes", classes}}});
      Trainer({.steps = 80, .batch_size = 32, .optimizer = {"adam", {{"lr", 5e-3}}}, .device = "cpu"})
          .fit(model, make<objectives::CrossEntropy>(), quadrants(50, 1));
      return model;
    }();
    return trained;
  }
  static Dataset pictures(std::int64_t per_class = 100) { return quadrants(per_class, 2); }
  static std::map<std::string, double> judge(Painter::Kind kind, std::int64_t conditions = classes) {
    Painter painter(kind, conditions);
    return judge_samples(painter, *classifier(), pictures(), 0);
  }
};

TEST_F(Judge, FaithfulSamplesReachTheFloor) {
  const auto scores = judge(Painter::Kind::faithful);
  EXPECT_EQ(scores.size(), 6u);
  EXPECT_LT(scores.at("frechet"), 3 * scores.at("frechet_floor"));
  EXPECT_GT(scores.at("class_confirmed_real"), 0.98);
  EXPECT_GT(scores.at("class_confirmed"), 0.98);
  EXPECT_NEAR(scores.at("class_variety"), 1, 0.1);
  EXPECT_NEAR(scores.at("variety"), 1, 0.1);
}

TEST_F(Judge, OnePictureAClassDoesNotPass) {
  const auto scores = judge(Painter::Kind::collapsed), good = judge(Painter::Kind::faithful);
  EXPECT_GT(scores.at("class_confirmed"), 0.98);
  EXPECT_LT(scores.at("class_variety"), 0.05);
  EXPECT_GT(scores.at("frechet"), 3 * good.at("frechet"));
}

TEST_F(Judge, AGeneratorThatIgnoresTheClassIsFoundOut) {
  const auto scores = judge(Painter::Kind::careless);
  EXPECT_LT(scores.at("class_confirmed"), 0.4);
  EXPECT_NEAR(scores.at("variety"), 1, 0.1);
}

TEST_F(Judge, WithoutConditionsNoClassIsAskedFor) {
  const auto scores = judge(Painter::Kind::careless, 0);
  EXPECT_EQ(scores.size(), 3u);
  EXPECT_LT(scores.at("frechet"), 3 * scores.at("frechet_floor"));
}

TEST_F(Judge, TheSeedDecides) {
  Painter painter(Painter::Kind::faithful);
  const auto data = pictures(25);
  const auto first = judge_samples(painter, *classifier(), data, 1);
  at::rand({3});
  EXPECT_EQ(judge_samples(painter, *classifier(), data, 1), first);
  EXPECT_NE(judge_samples(painter, *classifier(), data, 2), first);
}

TEST_F(Judge, SaysWhatDoesNotFit) {
  Painter painter(Painter::Kind::faithful), other(Painter::Kind::faithful, 7);
  const auto data = pictures(10);
  expect_error<ConfigError>([&] { judge_samples(*classifier(), *classifier(), data, 0); },
                            {"judging samples: expected a model that offers Generator"});
  expect_error<ConfigError>([&] { judge_samples(painter, painter, data, 0); },
                            {"judging samples: expected a model that offers Classifier"});
  expect_error<ConfigError>([&] { judge_samples(other, *classifier(), data, 0); },
                            {"judging samples: expected a classifier of the generator's 7 classes, found one of 4"});
  expect_error<DataError>([&] { judge_samples(painter, *classifier(), data.select(at::arange(3)), 0); },
                          {"judging samples: expected at least four examples, found 3"});
  expect_error<DataError>([&] { judge_samples(painter, *classifier(), data.without("target"), 0); }, {"target"});
  const auto larger = data.with("input", at::zeros({40, 1, 9, 9}, at::kByte));
  expect_error<DataError>([&] { judge_samples(painter, *classifier(), larger, 0); },
                          {"expected input of shape (N, 1, 8, 8)"});
  const auto of_larger = build({"mlp", {{"input", {1, 9, 9}}, {"widths", {4}}, {"classes", classes}}});
  of_larger->eval();
  expect_error<DataError>([&] { judge_samples(painter, *of_larger, larger, 0); },
                          {"data: expected inputs of the generator's shape (1, 8, 8), found (1, 9, 9)"});
}

}  // namespace
}  // namespace vaetl::testing::judge_test
