// Several runs on one page.
#include "report/support.hpp"

namespace vaetl::testing::compare_test {
namespace {

std::string write_with_recipe(const TemporaryFolder& parent, const std::string& name, const Json& metrics,
                              const Json& recipe, const Json& more = Json::object()) {
  Json run = run_json();
  run["name"] = name;
  run["metrics"] = metrics;
  run["higher_is_better"] = {{"accuracy", true}, {"cross_entropy", false}};
  run.update(more);
  const std::string folder = write_run(parent, name, run);
  parent.file(name + "/recipe.json", recipe.dump());
  return folder;
}

Json recipe_with(double rate, int layers) {
  Json recipe{
      {"name", "x"}, {"seed", 0}, {"trainer", {{"optimizer", {{"lr", rate}, {"name", "adam"}}}, {"epochs", 5}}}};
  if (layers > 0) recipe["model"]["layers"] = layers;
  return recipe;
}

TEST(Compare, TheBestOfEachMetricInItsDirection) {
  const TemporaryFolder parent;
  const std::string html = render_report(
      {write_with_recipe(parent, "one", {{"accuracy", 0.8}, {"cross_entropy", 0.5}}, recipe_with(0.1, 0)),
       write_with_recipe(parent, "two", {{"accuracy", 0.9}, {"cross_entropy", 0.6}}, recipe_with(0.1, 0))});
  EXPECT_NE(html.find("<td>80.0</td><td class=\"best\">0.5000</td>"), std::string::npos);
  EXPECT_NE(html.find("<td class=\"best\">90.0</td><td>0.6000</td>"), std::string::npos);
  const Page page = check(html);
  EXPECT_TRUE(page.shows("↑ more, ↓ less is better; the best of each metric is marked."));
  for (const char* part : {"accuracy (%) ↑", "cross_ entropy ↓", "1,068,129", "1m23s", "612"}) {
    EXPECT_TRUE(page.shows(part)) << part << " in " << page.text;
  }
  EXPECT_TRUE(page.shows("The resolved recipes are alike in every key but the name."));
}

TEST(Compare, NothingIsBestOfDifferentData) {
  const TemporaryFolder parent;
  const Json other{{"data", {{"name", "mnist"}, {"test", 10000}}}};
  const std::string html =
      render_report({write_with_recipe(parent, "one", {{"accuracy", 0.8}}, recipe_with(0.1, 0)),
                     write_with_recipe(parent, "two", {{"accuracy", 0.9}}, recipe_with(0.1, 0), other)});
  EXPECT_EQ(html.find("class=\"best\""), std::string::npos);
  EXPECT_TRUE(check(html).shows("Nothing is marked where the runs were scored on different data."));
}

// A run of an older version says nothing of directions, and equals are no winners.
TEST(Compare, NothingIsBestWithoutADirectionOrADifference) {
  const TemporaryFolder parent;
  const auto marked = [&](double second, const Json& more) {
    return render_report({write_with_recipe(parent, "one", {{"accuracy", 0.8}}, recipe_with(0.1, 0), more),
                          write_with_recipe(parent, "two", {{"accuracy", second}}, recipe_with(0.1, 0), more)})
               .find("class=\"best\"") != std::string::npos;
  };
  EXPECT_TRUE(marked(0.9, Json::object()));
  EXPECT_FALSE(marked(0.8, Json::object()));
  EXPECT_FALSE(marked(0.9, {{"higher_is_better", nullptr}}));
}

TEST(Compare, OnlyWhatDiffersInTheRecipes) {
  const TemporaryFolder parent;
  const Page page = check(render_report({write_with_recipe(parent, "one", Json::object(), recipe_with(0.1, 0)),
                                         write_with_recipe(parent, "two", Json::object(), recipe_with(0.01, 3))}));
  EXPECT_TRUE(page.shows("all else is alike. key one two model.layers – 3 trainer.optimizer.lr 0.1 0.01 one "))
      << page.text;
}

// loss of train and validation, accuracy of validation: a plot each, a line a run, besides the runs' own.
TEST(Compare, CurvesOverEachOther) {
  const TemporaryFolder parent;
  Json named = run_json();
  named["name"] = "second";
  const std::string first = write_run(parent, "a", run_json()), second = write_run(parent, "b", named);
  const std::string html = render_report({first, second});
  Page page = check(html);
  EXPECT_EQ(page.count["polyline"], 3 * 2 + 2 * 3);
  EXPECT_TRUE(page.shows("loss (validation)"));
  const std::string other = write_run(parent, "c", run_json(), "{\"step\":1,\"x\":2}\n{\"step\":2,\"x\":3}\n");
  page = check(render_report({first, other}));
  EXPECT_FALSE(page.shows("Curves"));
}

TEST(Compare, RunsOfOneNameAreToldApart) {
  const TemporaryFolder parent;
  const std::string a = write_run(parent, "a", run_json()), b = write_run(parent, "b", run_json());
  const Page page = check(render_report({a, b}));
  EXPECT_TRUE(page.shows("small-vae (" + a + ")"));
  EXPECT_TRUE(page.shows("small-vae (" + b + ")"));
}

TEST(Compare, FourRunsKeepTheirColours) {
  const TemporaryFolder parent;
  std::vector<std::filesystem::path> runs;
  for (int i = 0; i < 4; ++i) {
    Json named = run_json();
    named["name"] = "run " + std::to_string(i);
    const std::string more = i == 1 ? "" : "{\"step\":1,\"x\":2}\n{\"step\":2,\"x\":3}\n";
    runs.push_back(write_run(parent, std::to_string(i), named, more + "{\"step\":3,\"y\":2}\n{\"step\":4,\"y\":3}\n"));
  }
  const std::string html = render_report(runs);
  const std::string joint =
      html.substr(html.find("aria-label=\"x\""), html.find("aria-label=\"y\"") - html.find("aria-label=\"x\""));
  EXPECT_EQ(joint.find("polyline class=\"k1\""), std::string::npos);  // the second run has no x
  EXPECT_NE(joint.find("polyline class=\"k3\""), std::string::npos);
}

}  // namespace
}  // namespace vaetl::testing::compare_test
