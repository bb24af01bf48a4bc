// Where everything of a scatter plot lies, for all of its forms. Internal to report.
#pragma once
#include <array>
#include <cstdint>

#include "vaetl/report/scatter.hpp"

namespace vaetl::scatter {

using Colour = std::array<int, 3>;

constexpr double side = 720, margin = 24, legend_width = 220, line_height = 24, radius = 2.2, swatch = 6;
constexpr std::size_t most_names = 28;  // lines of the legend; then how many more there are

struct Place {
  double x = 0, y = 0;
};
std::vector<Place> places(const Scatter& scatter);  // within the square of the plot, y downwards

Colour colour(std::size_t group, std::size_t groups);
Colour colour_of(const Scatter& scatter, std::size_t point);

// The legend's lines: names, and perhaps how many are not shown.
std::vector<std::string> legend(const Scatter& scatter);
inline bool has_legend(const Scatter& scatter) { return !scatter.group.empty(); }
inline double width(const Scatter& scatter) { return side + (has_legend(scatter) ? legend_width : 0); }
inline Place legend_place(std::size_t line) {
  return {side + swatch + 2, margin + line_height * (static_cast<double>(line) + 0.5)};
}

}  // namespace vaetl::scatter
