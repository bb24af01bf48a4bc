#include "vaetl/report/scatter.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "vaetl/report/html.hpp"
#include "vaetl/report/scatter_layout.hpp"

namespace vaetl {
namespace scatter {
namespace {

// After Okabe and Ito, as the lines of plots, and two more.
constexpr std::array<Colour, 10> palette = {{{0, 114, 178},
                                             {213, 94, 0},
                                             {0, 158, 115},
                                             {184, 85, 143},
                                             {168, 120, 0},
                                             {111, 75, 184},
                                             {89, 99, 111},
                                             {47, 154, 214},
                                             {196, 22, 28},
                                             {122, 154, 1}}};

// Round the wheel of hues, every other one darker.
Colour on_wheel(std::size_t group, std::size_t groups) {
  const double hue = 6.0 * static_cast<double>(group) / static_cast<double>(groups);
  const double value = group % 2 == 0 ? 0.85 : 0.55;
  Colour colour{};
  for (std::size_t c = 0; c < 3; ++c) {
    const double turn = std::fmod(hue + (c == 0 ? 0.0 : c == 1 ? 4.0 : 2.0), 6.0);
    const double share = std::clamp(std::abs(turn - 3) - 1, 0.0, 1.0);
    colour[c] = static_cast<int>(std::lround(255 * value * (0.15 + 0.85 * share)));
  }
  return colour;
}

std::string hex(const Colour& colour) { return fmt::format("#{:02x}{:02x}{:02x}", colour[0], colour[1], colour[2]); }

}  // namespace

Colour colour(std::size_t group, std::size_t groups) {
  return groups <= palette.size() ? palette[group] : on_wheel(group, groups);
}

Colour colour_of(const Scatter& scatter, std::size_t point) {
  if (!has_legend(scatter)) return palette[0];
  return colour(static_cast<std::size_t>(scatter.group[point]), scatter.names.size());
}

std::vector<Place> places(const Scatter& scatter) {
  const at::Tensor points = scatter.points.to(at::kDouble).contiguous();
  const at::Tensor low = std::get<0>(points.min(0)), high = std::get<0>(points.max(0));
  const at::Tensor middle = (low + high) / 2;
  const double range = std::max((high - low).max().item<double>(), 1e-30), scale = (side - 2 * margin) / range;
  const double middle_x = middle[0].item<double>(), middle_y = middle[1].item<double>();
  const double* values = points.const_data_ptr<double>();
  std::vector<Place> result;
  for (std::int64_t i = 0; i < points.size(0); ++i) {
    result.push_back(
        {side / 2 + scale * (values[2 * i] - middle_x), side / 2 - scale * (values[2 * i + 1] - middle_y)});
  }
  return result;
}

std::vector<std::string> legend(const Scatter& scatter) {
  std::vector<std::string> lines = scatter.names;
  if (lines.size() <= most_names) return lines;
  lines.resize(most_names - 1);
  lines.push_back(fmt::format("and {} more", scatter.names.size() - lines.size()));
  return lines;
}

}  // namespace scatter

std::string scatter_svg(const Scatter& plot) {
  using namespace scatter;
  const double width = scatter::width(plot);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"15\">\n<title>{2}</title>\n<rect width=\"100%\" height=\"100%\" "
      "fill=\"#ffffff\"/>\n<g fill-opacity=\"0.75\">\n",
      width, side, html::escape(plot.title));
  const std::vector<Place> all = places(plot);
  for (std::size_t i = 0; i < all.size(); ++i) {
    svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\"/>\n", all[i].x, all[i].y, radius,
                       hex(colour_of(plot, i)));
  }
  svg += "</g>\n";
  const auto names = has_legend(plot) ? legend(plot) : std::vector<std::string>();
  for (std::size_t line = 0; line < names.size(); ++line) {
    const Place at = legend_place(line);
    if (names[line] == plot.names[line]) {
      svg += fmt::format("<circle cx=\"{:.0f}\" cy=\"{:.0f}\" r=\"{}\" fill=\"{}\"/>", at.x, at.y, swatch,
                         hex(colour(line, plot.names.size())));
    }
    svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" fill=\"#1a1f26\">{}</text>\n", at.x + 14, at.y + 5,
                       html::escape(names[line]));
  }
  return svg + "</svg>\n";
}

}  // namespace vaetl
