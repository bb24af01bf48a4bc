#include "objectives/support.hpp"

namespace vaetl::testing::make_test {
namespace {

TEST(MakeObjective, FromANameAnObjectOrAnArray) {
  EXPECT_TRUE(std::dynamic_pointer_cast<objectives::Elbo>(make_objective("elbo")));
  EXPECT_TRUE(std::dynamic_pointer_cast<objectives::SimClr>(make_objective(Json{{"name", "simclr"}})));
  ToyModel model(4, 2);
  const Batch data = batch({{"input", at::rand({3, 4}, at::kDouble)}, {"target", at::zeros({3}, at::kLong)}});
  Pass pass(model, data, {.progress = 0.5});
  const Json text = parse_json(R"(["elbo", {"name": "cross_entropy", "weight": {"linear": [0, 3]}}])", "text");
  const Terms terms = make_objective(text)->terms(0, pass);
  EXPECT_EQ(names(terms.minimised()), (std::vector<std::string>{"reconstruction", "kl", "cross_entropy"}));
  const Terms alone = make_objective("cross_entropy")->terms(0, pass);
  expect_near(value(terms.minimised(), "cross_entropy"), 1.5 * alone.total().detach());
}

TEST(MakeObjective, KnowsItsNames) {
  for (const char* name : {"cross_entropy", "elbo", "simclr", "squared_error", "reconstruction", "sparsity_kl",
                           "sparsity_l1", "contractive"}) {
    EXPECT_TRUE(registry<Objective>().has(name)) << name;
  }
}

TEST(MakeObjective, MistakesNameTheirPlace) {
  expect_error<ConfigError>([] { make_objective("crossentropy"); },
                            {"objective", "\"crossentropy\"", "\"cross_entropy\""});
  expect_error<ConfigError>([] { make_objective(Json::array()); }, {"objective", "at least one", "empty array"});
  expect_error<ConfigError>([] { make_objective(3); }, {"objective", "a name"});
  expect_error<ConfigError>([] { make_objective(Json{{"name", "elbo"}, {"betta", 1}}); }, {"betta", "beta"});
  expect_error<ConfigError>([] { make_objective(Json{{"name", "elbo"}, {"weight", "high"}}); }, {"objective.weight"});
  const Json second = parse_json(R"(["elbo", {"name": "simclr", "temperature": "hot"}])", "text");
  expect_error<ConfigError>([&] { make_objective(second); }, {"objective[1].temperature"});
}

TEST(MakeObjective, CompletesADescription) {
  EXPECT_EQ(complete_objective("elbo").dump(), R"({"name":"elbo","beta":1.0,"free_bits":0.0})");
  const Json text = parse_json(R"(["elbo", {"name": "cross_entropy", "weight": 0.5}])", "text");
  EXPECT_EQ(
      complete_objective(text).dump(),
      R"([{"name":"elbo","beta":1.0,"free_bits":0.0},{"name":"cross_entropy","label_smoothing":0.0,"weight":0.5}])");
  EXPECT_EQ(complete_objective(complete_objective(text)), complete_objective(text));
}

}  // namespace
}  // namespace vaetl::testing::make_test
