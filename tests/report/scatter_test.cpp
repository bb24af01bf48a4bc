// Maps as pictures: every point in its class's colour, the legend's names, and as many as have room.
#include "vaetl/report/scatter.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>

#include "vaetl/report/scatter_layout.hpp"

namespace vaetl::testing::scatter_test {
namespace {

std::int64_t count_of(const std::string& text, const std::string& part) {
  std::int64_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

Scatter some(std::int64_t classes) {
  Scatter plot{.title = "a < b", .points = at::arange(2 * classes, at::kFloat).view({classes, 2})};
  for (std::int64_t k = 0; k < classes; ++k) {
    plot.group.push_back(k);
    plot.names.push_back(fmt::format("class & {}", k));
  }
  return plot;
}

TEST(Scatter, ColoursDiffer) {
  for (const std::size_t groups : {2, 10, 11, 40}) {
    std::set<scatter::Colour> colours;
    for (std::size_t k = 0; k < groups; ++k) colours.insert(scatter::colour(k, groups));
    EXPECT_EQ(colours.size(), groups);
  }
}

TEST(Scatter, TheLegendHasAsManyNamesAsHaveRoom) {
  const std::string few = scatter_svg(some(3)), many = scatter_svg(some(100));
  EXPECT_EQ(count_of(few, "<circle"), 6);
  EXPECT_EQ(count_of(few, "class &amp; "), 3);
  EXPECT_NE(few.find("<title>a &lt; b</title>"), few.npos);
  EXPECT_EQ(count_of(many, "<text"), 28);
  EXPECT_NE(many.find(">and 73 more<"), many.npos);
  EXPECT_EQ(count_of(many, "<circle"), 100 + 27);
}

TEST(Scatter, PixelsAreWhereThePointsAre) {
  Scatter plot = some(2);
  const at::Tensor picture = scatter_picture(plot);
  EXPECT_EQ(picture.sizes().vec(), (std::vector<std::int64_t>{3, 720, 940}));
  const auto places = scatter::places(plot);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto x = static_cast<std::int64_t>(places[i].x), y = static_cast<std::int64_t>(places[i].y);
    const auto colour = scatter::colour(i, 2);
    for (std::int64_t c = 0; c < 3; ++c) {
      const double blended = 255 + 0.75 * (colour[static_cast<std::size_t>(c)] - 255);
      EXPECT_NEAR(picture[c][y][x].item<double>(), blended, 20);
    }
  }
  EXPECT_GT(places[0].y, places[1].y);  // upwards
  plot.group.clear();
  EXPECT_EQ(scatter_picture(plot).size(2), 720);
  plot.points = at::zeros({3, 2});  // all in one place
  EXPECT_EQ(count_of(scatter_svg(plot), "<circle cx=\"360.0\" cy=\"360.0\""), 3);
}

}  // namespace
}  // namespace vaetl::testing::scatter_test
