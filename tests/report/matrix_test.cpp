// A confusion matrix as a picture.
#include "vaetl/report/matrix.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace vaetl::testing::matrix_test {
namespace {

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(MatrixPicture, CellsAreAsDarkAsTheirShare) {
  const at::Tensor counts = at::tensor({8, 2, 0, 5}, at::kLong).view({2, 2});
  const std::string svg =
      matrix_svg({.title = "T", .counts = counts, .names = {"<a>", "b & c"}, .rows = "label", .columns = "called"});
  EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
  EXPECT_EQ(occurrences(svg, "fill=\"#"), 1u + 1u + 3u * 2u) << "an empty cell is not drawn";
  EXPECT_EQ(occurrences(svg, ">8<") + occurrences(svg, ">2<") + occurrences(svg, ">5<"), 3u);
  EXPECT_EQ(occurrences(svg, "#004682"), 1u) << "a whole row in one cell is the darkest";
  EXPECT_EQ(occurrences(svg, "&lt;a&gt;"), 2u);
  EXPECT_EQ(occurrences(svg, "b &amp; c"), 2u);
  EXPECT_EQ(svg.find("<a>"), std::string::npos);
}

TEST(MatrixPicture, ManyClassesHaveNoNumbersOrNames) {
  const std::string svg = matrix_svg({.counts = at::eye(1000).to(at::kLong), .rows = "label", .columns = "called"});
  EXPECT_EQ(occurrences(svg, "<text"), 1u);
  EXPECT_EQ(occurrences(svg, "<rect"), 1002u);
  EXPECT_EQ(occurrences(matrix_svg({.counts = at::eye(3).to(at::kLong)}), ">2<"), 2u) << "numbers stand for names";
}

}  // namespace
}  // namespace vaetl::testing::matrix_test
