// The confusion matrix and the maps of the latents on a run's page.
#include "report/support.hpp"

namespace vaetl::testing::views_page_test {
namespace {

Json confusion_json(int classes) {
  Json view{{"split", "test"}, {"examples", 1000}, {"of", 5000}, {"cells", Json::array()}, {"classes", Json::array()}};
  for (int k = 0; k < classes; ++k) {
    view["classes"].push_back("class " + std::to_string(k));
    view["cells"].push_back({k, k, 90});
    view["cells"].push_back({k, (k + 1) % classes, 10 + k});
  }
  return view;
}

Json latents_json(int count, int classes) {
  Json view{{"split", "validation"}, {"examples", count}, {"of", count}, {"dimensions", 32}};
  Json points = Json::array();
  for (int i = 0; i < count; ++i) points.push_back({i % 7, -i});
  view["maps"] = {{{"method", "pca"}, {"points", points}, {"variance_share", 0.275}, {"trustworthiness", 0.8339}},
                  {{"method", "tsne"}, {"points", points}, {"perplexity", 30}}};
  for (int k = 0; k < classes; ++k) view["classes"].push_back("class " + std::to_string(k));
  for (int i = 0; i < count && classes > 0; ++i) view["labels"].push_back(i % classes);
  return view;
}

class ViewsPage : public ::testing::Test {
 protected:
  std::string page(const Json& views) {
    const std::string run = write_run(folder, "a", run_json());
    folder.file("a/views.json", views.dump());
    return render_report({run});
  }
  TemporaryFolder folder;
};

TEST_F(ViewsPage, AMatrixOfFewClasses) {
  const std::string html = page({{"confusion", confusion_json(3)}});
  Page found = check(html);
  EXPECT_TRUE(found.shows("What is taken for what Of 1,000 of the 5,000 test examples, evenly spread: a row"));
  EXPECT_TRUE(found.shows("class 0 90 10 class 1 90 11 class 2 12 90")) << found.text;
  EXPECT_NE(html.find("<td class=\"s9\">90</td><td class=\"s1\">10</td><td></td>"), std::string::npos);
  // 90 of 100 are recognised, and of what is called class 0, 90 of 102 are.
  EXPECT_TRUE(found.shows("class 0 100 90.0 88.2 class 1 (10)")) << found.text;
}

TEST_F(ViewsPage, TwoClasses) {
  Page found = check(page({{"confusion", confusion_json(2)}}));
  EXPECT_TRUE(found.shows("class 0 90 10 class 1 11 90"));
}

TEST_F(ViewsPage, OfManyClassesThePairsThatAreMixedUp) {
  const std::string html = page({{"confusion", confusion_json(1000)}});
  Page found = check(html);
  EXPECT_EQ(html.find("class=\"table matrix\""), std::string::npos);
  EXPECT_TRUE(
      found.shows("the 20 pairs that are most often confused, of 1,000. 1,000 classes are too many for a matrix."));
  EXPECT_TRUE(found.shows("class 999 class 0 1,009 91.8 class 998 class 999 1,008")) << found.text.substr(0, 3000);
  EXPECT_FALSE(found.shows("class 979 class 980"));
  EXPECT_TRUE(found.shows("The first 60 of 1000."));
  EXPECT_LT(html.size(), 60'000u);
}

TEST_F(ViewsPage, MapsWithALegend) {
  const std::string html = page({{"latents", latents_json(40, 4)}});
  Page found = check(html);
  EXPECT_EQ(found.count["path"], 2 * 4 + 4);  // a path a class and map, and the legend
  EXPECT_TRUE(found.shows("in 32 dimensions: 40 validation examples, coloured by their class."));
  EXPECT_TRUE(found.shows("They hold 28\u00a0% of the variance. Trustworthiness 0.83") ||
              found.shows("They hold 28 % of the variance. Trustworthiness 0.83"))
      << found.text;
  EXPECT_TRUE(found.shows("t-SNE class 0 class 1 class 2 class 3 Perplexity 30")) << found.text;
  EXPECT_NE(html.find("d=\"M"), std::string::npos);
}

TEST_F(ViewsPage, MapsWithoutLabelsAndWithMany) {
  Page found = check(page({{"latents", latents_json(40, 0)}}));
  EXPECT_EQ(found.count["path"], 2);
  EXPECT_TRUE(found.shows("40 validation examples, without classes."));
  found = check(page({{"latents", latents_json(300, 100)}}));
  EXPECT_EQ(found.count["path"], 2 * 100 + 24);
  EXPECT_TRUE(found.shows("class 23 and 76 more"));
}

TEST_F(ViewsPage, NamesAreEscaped) {
  Json confusion = confusion_json(2), latents = latents_json(10, 2);
  const std::string hostile = "<script>alert('1')</script>";
  confusion["classes"][0] = latents["classes"][0] = hostile;
  latents["maps"][0]["method"] = confusion["split"] = hostile;
  const std::string html = page({{"confusion", confusion}, {"latents", latents}});
  EXPECT_EQ(html.find("<script"), std::string::npos);
  check(html);
}

TEST_F(ViewsPage, WhatDoesNotFitTogether) {
  const auto refused = [&](const char* part, const Json& change, std::initializer_list<std::string_view> words) {
    Json views{{"confusion", confusion_json(2)}, {"latents", latents_json(10, 2)}};
    views[part].update(change);
    expect_error<FileError>([&] { page(views); }, words);
  };
  refused("confusion", {{"cells", {{0, 2, 5}}}}, {"views.json: confusion: cells", "of the classes"});
  refused("confusion", {{"cells", {{0, -1, 5}}}}, {"cells"});
  refused("confusion", {{"cells", {{0, 1}}}}, {"cells", "rows of 3 numbers"});
  refused("confusion", {{"cells", {{0, 1e300, 1}}}}, {"cells"});
  refused("confusion", {{"classes", Json::array()}}, {"classes"});
  refused("latents", {{"labels", {0, 1, 2, 0, 0, 0, 0, 0, 0, 0}}}, {"latents: labels"});
  refused("latents", {{"labels", {0}}}, {"points", "one for each label"});
  refused("latents", {{"maps", {{{"points", {{1, 2, 3}}}}}}}, {"maps", "rows of 2 numbers"});
}

}  // namespace
}  // namespace vaetl::testing::views_page_test
