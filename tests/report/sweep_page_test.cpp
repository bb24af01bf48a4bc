#include "report/support.hpp"

namespace vaetl::testing::sweep_page_test {
namespace {

TEST(SweepPage, TablesAndPlot) {
  const TemporaryFolder parent;
  const std::string html = render_report({write_sweep(parent, "s", sweep_json())});
  Page page = check(html);
  EXPECT_TRUE(page.shows("2 ways, 3 settings of labels a class, 3 seeds: 1 run in 1m15s.")) << page.text;
  EXPECT_TRUE(
      page.shows("Best by mean accuracy, by labels a class: scratch at 100 (86.3 %); "
                 "simclr at 1 (55.7 %), 10 (72.9 %)."))
      << page.text;
  EXPECT_TRUE(page.shows("way 1 10 100 scratch 51.4 ± 1.2 70.5 ± 1.2 86.3 ± 1.2 simclr 55.7 ± 1.2")) << page.text;
  EXPECT_TRUE(page.shows("over 3 seeds"));
  EXPECT_EQ(page.count["polyline"], 2);
  EXPECT_EQ(page.count["path"], 2 * 3 + 2);  // markers of points and of the legend
  EXPECT_TRUE(page.shows("simclr, 10 labels a class: 72.9 ± 1.2"));
  EXPECT_TRUE(page.shows("(logarithmic)"));
  EXPECT_TRUE(page.shows("trainer.optimizer.lr=0.001"));
}

TEST(SweepPage, DrawnSettingsAreRanked) {
  const TemporaryFolder parent;
  Json sweep = sweep_json();
  sweep["drawn"] = 3, sweep["on"] = "validation";
  sweep["vary"] = {{"trainer.lr", {{"low", 0.001}, {"high", 0.1}}}, {"model.widths", {{16}, {64}}}};
  sweep["ways"] = {"search"}, sweep["paired"] = Json::array(), sweep["summary"] = Json::array();
  const double rates[] = {0.001, 0.0123, 0.1}, means[] = {0.5, 0.9, 0.7};
  for (int i = 0; i < 3; ++i) {
    const Json vary{{"trainer.lr", rates[i]}, {"model.widths", {i}}};
    sweep["summary"].push_back({{"way", "search"}, {"vary", vary}, {"mean", means[i]}, {"spread", nullptr}, {"n", 1}});
  }
  Page page = check(render_report({write_sweep(parent, "s", sweep)}));
  EXPECT_TRUE(page.shows("1 way, 3 settings of trainer.lr and model.widths, drawn, measured on validation data"))
      << page.text;
  EXPECT_TRUE(page.shows("Best: search with trainer.lr 0.01230, model.widths [1] (90.0 %)")) << page.text;
  EXPECT_TRUE(page.shows("0.01230 [1] 90.0 0.1000 [2] 70.0 0.001000 [0] 50.0")) << page.text;
  EXPECT_EQ(page.count["polyline"], 0);
  EXPECT_EQ(page.count["path"], 3);  // markers over the rate; widths are no numbers
}

TEST(SweepPage, MarksTheBestOfEachColumn) {
  const TemporaryFolder parent;
  const std::string html = render_report({write_sweep(parent, "s", sweep_json())});
  const std::string best = "<td class=\"best\">";
  std::vector<std::string> marked;
  for (std::size_t at = 0; (at = html.find(best, at)) != std::string::npos; ++at)
    marked.push_back(html.substr(at + best.size(), 4));
  EXPECT_EQ(marked, (std::vector<std::string>{"86.3", "55.7", "72.9"}));
}

TEST(SweepPage, PairedDifferencesSayWhetherTheyAreAny) {
  const TemporaryFolder parent;
  const Page page = check(render_report({write_sweep(parent, "s", sweep_json())}));
  EXPECT_TRUE(page.shows("simclr ▲ +4.3 +3.3 … +5.3 ▲ +2.4 +1.4 … +3.4 −0.2 −1.2 … +0.8")) << page.text;
}

// Less is better: the marks turn round.
TEST(SweepPage, FollowsTheMetricsDirection) {
  const TemporaryFolder parent;
  Json sweep = sweep_json();
  sweep["metric"] = "cross_entropy";
  sweep["higher_is_better"] = false;
  const std::string html = render_report({write_sweep(parent, "s", sweep)});
  EXPECT_NE(html.find("<td class=\"best\">0.5140<"), std::string::npos);
  EXPECT_NE(html.find("<td class=\"worse\">▼ +0.0430<"), std::string::npos) << html;
}

TEST(SweepPage, SeveralVariedKeysGiveAPlotEach) {
  const TemporaryFolder parent;
  Json sweep = sweep_json();
  sweep["paired"] = Json::array();
  sweep["vary"]["model.name"] = {"cnn", "mlp"};
  const Json summary = sweep["summary"];
  sweep["summary"] = Json::array();
  for (const char* model : {"cnn", "mlp"}) {
    for (Json row : summary) {
      row["vary"]["model.name"] = model;
      sweep["summary"].push_back(row);
    }
  }
  Page page = check(render_report({write_sweep(parent, "s", sweep)}));
  EXPECT_EQ(page.count["polyline"], 4);
  EXPECT_TRUE(page.shows("labels a class 10, model.name mlp"));
}

TEST(SweepPage, OneSeedHasNoSpreadAndOneSettingNoLine) {
  const TemporaryFolder parent;
  Json sweep = sweep_json();
  sweep["paired"] = sweep["points"] = sweep["vary"] = Json();
  sweep["summary"] = {{{"way", "scratch"}, {"vary", Json::object()}, {"mean", 0.7}, {"spread", nullptr}, {"n", 1}}};
  Page page = check(render_report({write_sweep(parent, "s", sweep)}));
  EXPECT_EQ(page.count["polyline"], 0);
  EXPECT_TRUE(page.shows("scratch 70.0")) << page.text;
  EXPECT_FALSE(page.shows("70.0 ±")) << page.text;
}

}  // namespace
}  // namespace vaetl::testing::sweep_page_test
