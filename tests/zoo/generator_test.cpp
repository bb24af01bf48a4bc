// Entries of models that make data, and of those that depend on a class: their test vectors.
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/tensor.h>

#include "vaetl/models/gan.hpp"
#include "vaetl/models/vae.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::zoo_generator_test {
namespace {

using ZooGenerator = ZooTest;

template <class M>
std::shared_ptr<Model> conditional_model(std::int64_t conditions, const Json& preprocess) {
  seed(1);
  std::shared_ptr<Model> model;
  if constexpr (std::is_same_v<M, models::Gan>) {
    model = make<M>({.input = {1, 4, 4}, .widths = {8}, .noise = 5, .batch_norm = true, .conditions = conditions});
  } else {
    model = make<M>({.input = {1, 4, 4}, .widths = {8}, .latent = 5, .conditions = conditions});
  }
  model->set_preprocess(preprocess);
  model->eval();
  return model;
}
std::shared_ptr<Model> gan(std::int64_t conditions) {
  return conditional_model<models::Gan>(conditions, {{{"name", "scale"}, {"from", {0, 255}}, {"to", {-1, 1}}}});
}
std::shared_ptr<Model> vae(std::int64_t conditions) {
  return conditional_model<models::Vae>(conditions, scale_to_unit());
}

std::string vector_outcome(const fs::path& entry) {
  for (const zoo::Check& check : zoo::verify(entry).checks) {
    if (check.name == "test vector") return check.outcome + ": " + check.detail;
  }
  return "no such check";
}

TEST_F(ZooGenerator, AVectorOfNoiseIsWhatIsGenerated) {
  const auto model = gan(0);
  const fs::path entry = zoo::save("gan", *model, {});
  const auto vector = *zoo::read_card(entry).test_vector;
  EXPECT_EQ(vector.of + " of " + vector.stage, "generated of noise");
  EXPECT_EQ(vector.shape, (std::vector<std::int64_t>{1, 5}));
  EXPECT_TRUE(vector.condition.empty());
  EXPECT_EQ(read_card_json(entry)["test_vector"]["condition"], Json::array());
  const at::NoGradGuard no_grad;
  const at::Tensor noise = at::tensor(vector.input, at::kDouble).to(at::kFloat).view({1, 5});
  const at::Tensor made = require<Generator>(*model).generate(noise).flatten();
  // The same program on the same input; a float's shortest decimal reads as that float.
  EXPECT_TRUE(at::equal(made, at::tensor(vector.output, at::kDouble).to(at::kFloat)));
  EXPECT_TRUE(vector_outcome(entry).starts_with("passed: differs by"));
}

TEST_F(ZooGenerator, AConditionalGeneratorsVectorHasItsClass) {
  const fs::path entry = zoo::save("cgan", *gan(3), {});
  EXPECT_EQ(zoo::read_card(entry).test_vector->condition, std::vector<std::int64_t>{2});
  EXPECT_TRUE(vector_outcome(entry).starts_with("passed"));
  edit_card(entry, [](Json& card) { card["test_vector"]["condition"] = {1}; });
  EXPECT_NE(vector_outcome(entry).find("generated within"), std::string::npos) << "another class, another picture";
  edit_card(entry, [](Json& card) { card["test_vector"]["condition"] = {3}; });
  EXPECT_TRUE(vector_outcome(entry).starts_with("failed")) << "a class that there is not";
  edit_card(entry, [](Json& card) { card["test_vector"]["condition"] = Json::array(); });
  EXPECT_NE(vector_outcome(entry).find("a condition of shape (N)"), std::string::npos);
  edit_card(entry, [](Json& card) { card["test_vector"]["condition"] = {0, 1}; });
  expect_error<FileError>([&] { zoo::load("cgan"); },
                          {"test_vector.condition: expected none, or 1, one for each example, found 2"});
}

TEST_F(ZooGenerator, AConditionalEncodersVectorHasItsClass) {
  const auto model = vae(3);
  const fs::path entry = zoo::save("cvae", *model, {});
  const auto vector = *zoo::read_card(entry).test_vector;
  EXPECT_EQ(vector.of + " of " + vector.stage, "features of raw");
  EXPECT_EQ(vector.condition, std::vector<std::int64_t>{2});
  EXPECT_TRUE(vector_outcome(entry).starts_with("passed"));
  edit_card(entry, [](Json& card) { card["test_vector"]["condition"] = {0}; });
  EXPECT_NE(vector_outcome(entry).find("features within"), std::string::npos);
}

TEST_F(ZooGenerator, PredictTakesTheClassesOfAConditionalEncoder) {
  const Pretrained model{vae(3)};
  Fields raw;
  raw.set("input", at::randint(256, {4, 1, 4, 4}, at::kByte));
  raw.set("condition", at::tensor(at::ArrayRef<std::int64_t>{0, 1, 2, 2}));
  const at::Tensor features = model.predict_batch(raw);
  EXPECT_EQ(features.sizes(), (at::IntArrayRef{4, 5}));
  raw.set("condition", at::full({4}, 2, at::kInt));
  const at::Tensor of_two = model.predict_batch(raw);
  EXPECT_TRUE(at::equal(features.slice(0, 2), of_two.slice(0, 2)));
  EXPECT_FALSE(at::allclose(features.slice(0, 0, 2), of_two.slice(0, 0, 2), 0, 1e-3));
  expect_error<DataError>([&] { model.predict(raw.input()); }, {"model \"vae\"", "a field \"condition\""});
}

// As cards were written before test vectors had conditions.
TEST_F(ZooGenerator, CardsWithoutConditionsAreRead) {
  const fs::path entry = save_classifier();
  edit_card(entry, [](Json& card) { card["test_vector"].erase("condition"); });
  EXPECT_TRUE(zoo::verify(entry).passed());
  const fs::path conditional = zoo::save("cvae", *vae(3), {});
  edit_card(conditional, [](Json& card) { card.erase("test_vector"); });
  EXPECT_EQ(vector_outcome(conditional), "passed: the card has none");
}

TEST_F(ZooGenerator, StageAndOutputBelongTogether) {
  const fs::path entry = zoo::save("gan", *gan(0), {});
  edit_card(entry, [](Json& card) { card["test_vector"]["stage"] = "raw"; });
  EXPECT_NE(vector_outcome(entry).find("a model that offers Encoder"), std::string::npos);
  edit_card(entry, [](Json& card) { card["test_vector"]["of"] = "features"; });
  EXPECT_NE(vector_outcome(entry).find("test_vector.of: expected generated, found features"), std::string::npos);
  const fs::path classifier = save_classifier();
  edit_card(classifier, [](Json& card) { card["test_vector"]["stage"] = "noise"; });
  EXPECT_NE(vector_outcome(classifier).find("a model that offers Generator"), std::string::npos);
}

}  // namespace
}  // namespace vaetl::testing::zoo_generator_test
