#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "nn/models.hpp"

namespace vaetl::testing::load_report_test {
namespace {

Weights weights_of(const Model& model) {
  const Weights shared = state(model);
  return {shared.begin(), shared.end()};
}

TEST(LoadReportText, OfACompleteLoad) {
  auto from = tiny(), to = tiny();
  EXPECT_EQ(to_text(load(*to, state(*from)), *to),
            "weights: all 9 tensors loaded, 36 values\n"
            "  group  loaded\n"
            "  stem        7\n"
            "  head        2\n");
}

TEST(LoadReportText, OfATransfer) {
  auto from = build({"tiny", {{"classes", 500}}});
  auto to = tiny(2);
  Weights weights = weights_of(*from);
  weights["decoder.weight"] = at::zeros({3, 400});
  weights["decoder.bias"] = at::zeros({400});
  weights["down.weight"] = weights.at("down.weight").to(at::kHalf);
  weights.erase("head.bias");
  const auto report = load(*to, weights, {{.from = "head.*", .to = "head.*", .on_mismatch = "skip"}});
  EXPECT_EQ(to_text(report, *to),
            "weights: 7 of 9 tensors loaded, 28 of 36 values\n"
            "  group  loaded  initialised  mismatched\n"
            "  stem        7            -           -\n"
            "  head        -            1           1\n"
            "  converted from float16: 1 of the loaded\n"
            "  initialised, not in the file:\n"
            "    head.bias  (2)\n"
            "  mismatched, left at fresh values:\n"
            "    head.weight  shape (500, 3) in the file, (2, 3) in the model\n"
            "  unused, not in the model:\n"
            "    decoder.bias    (400)\n"
            "    decoder.weight  (3, 400)\n");
}

TEST(LoadReportText, KeepsLongListsShort) {
  auto from = build({"tiny", {{"size", 4000}}});
  auto to = build({"tiny", {{"size", 4000}}});
  Weights weights = weights_of(*from);
  for (int i = 0; i < 25; ++i) weights[fmt::format("other.{}", i)] = at::zeros({1});
  const std::string text = to_text(load(*to, weights), *to);
  EXPECT_TRUE(text.starts_with("weights: all 9 tensors loaded, 12,024 values\n")) << text;
  EXPECT_NE(text.find("    and 5 more\n"), text.npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4 + 1 + 20 + 1);
}

TEST(LoadReportJson, HoldsEveryRow) {
  auto from = tiny(5), to = tiny(2);
  Weights weights = weights_of(*from);
  weights["extra"] = at::zeros({2, 2});
  weights.erase("head.bias");
  const Json json = load(*to, weights, {{.from = "head.*", .to = "head.*", .on_mismatch = "skip"}}).json();
  EXPECT_EQ(json.at("complete"), false);
  EXPECT_EQ(json.at("loaded").size(), 7u);
  EXPECT_EQ(json.at("loaded").at(0), Json({{"name", "down.bias"}, {"elements", 3}}));
  EXPECT_EQ(json.at("reshaped"), Json::array());
  EXPECT_EQ(json.at("initialised"), Json::array({{{"name", "head.bias"}, {"elements", 2}, {"note", "(2)"}}}));
  EXPECT_EQ(json.at("unused"), Json::array({{{"name", "extra"}, {"elements", 4}, {"note", "(2, 2)"}}}));
  EXPECT_EQ(json.at("mismatched").at(0).at("note"), "shape (5, 3) in the file, (2, 3) in the model");
}

}  // namespace
}  // namespace vaetl::testing::load_report_test
