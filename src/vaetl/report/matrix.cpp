#include "vaetl/report/matrix.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "vaetl/core/text.hpp"
#include "vaetl/report/html.hpp"

namespace vaetl {
namespace {

constexpr double most_side = 640, most_cell = 44, least_cell = 2, left_margin = 150, top_margin = 130, edge = 20;
constexpr double least_cell_with_number = 26, least_cell_with_name = 9;
constexpr std::size_t most_letters = 16;

struct Layout {
  std::int64_t classes = 0;
  double cell = 0;
  double side() const { return cell * static_cast<double>(classes); }
  double left(std::int64_t column) const { return left_margin + cell * static_cast<double>(column); }
  double top(std::int64_t row) const { return top_margin + cell * static_cast<double>(row); }
};

// White to a dark blue, after the plots' own.
std::string shade(double share) {
  const auto mix = [&](int dark) { return static_cast<int>(std::lround(255 + share * (dark - 255))); };
  return fmt::format("#{:02x}{:02x}{:02x}", mix(0), mix(70), mix(130));
}

std::string name_of(const Matrix& matrix, std::int64_t label) {
  const auto index = static_cast<std::size_t>(label);
  if (index >= matrix.names.size()) return std::to_string(label);
  const std::string quoted = quote(matrix.names[index], most_letters);
  return html::escape(quoted.substr(1, quoted.size() - 2));
}

std::string cells(const Matrix& matrix, const Layout& layout) {
  const at::Tensor counts = matrix.counts.to(at::kLong).contiguous();
  const auto* count = counts.const_data_ptr<std::int64_t>();
  std::string svg;
  for (std::int64_t row = 0; row < layout.classes; ++row) {
    const std::int64_t* values = count + row * layout.classes;
    std::int64_t whole = 0;
    for (std::int64_t column = 0; column < layout.classes; ++column) whole += values[column];
    for (std::int64_t column = 0; column < layout.classes; ++column) {
      if (values[column] == 0) continue;
      const double share = static_cast<double>(values[column]) / static_cast<double>(whole);
      svg += fmt::format("<rect x=\"{0:.1f}\" y=\"{1:.1f}\" width=\"{2:.1f}\" height=\"{2:.1f}\" fill=\"{3}\"/>\n",
                         layout.left(column), layout.top(row), layout.cell, shade(share));
      if (layout.cell < least_cell_with_number) continue;
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\" fill=\"{}\">{}</text>\n",
                         layout.left(column) + layout.cell / 2, layout.top(row) + layout.cell / 2 + 4,
                         share > 0.5 ? "#ffffff" : "#1a1f26", values[column]);
    }
  }
  return svg;
}

std::string labels(const Matrix& matrix, const Layout& layout) {
  std::string svg;
  if (layout.cell < least_cell_with_name) return svg;
  for (std::int64_t label = 0; label < layout.classes; ++label) {
    const double middle = layout.cell * (static_cast<double>(label) + 0.5);
    const std::string name = name_of(matrix, label);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left_margin - 6,
                       top_margin + middle + 4, name);
    svg += fmt::format("<text transform=\"translate({:.1f} {:.1f}) rotate(-60)\">{}</text>\n", left_margin + middle + 4,
                       top_margin - 6, name);
  }
  return svg;
}

}  // namespace

std::string matrix_svg(const Matrix& matrix) {
  Layout layout{.classes = matrix.counts.size(0)};
  layout.cell = std::clamp(most_side / static_cast<double>(layout.classes), least_cell, most_cell);
  const double width = left_margin + layout.side() + edge, height = top_margin + layout.side() + edge + 10;
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
             "height=\"{1:.0f}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#1a1f26\">\n<title>{2}</title>\n"
             "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<text x=\"10\" y=\"20\">{3} ↓, {4} →</text>\n",
             width, height, html::escape(matrix.title), html::escape(matrix.rows), html::escape(matrix.columns)) +
         cells(matrix, layout) + labels(matrix, layout) +
         fmt::format(
             "<rect x=\"{0:.1f}\" y=\"{1:.1f}\" width=\"{2:.1f}\" height=\"{2:.1f}\" fill=\"none\" "
             "stroke=\"#59636f\"/>\n</svg>\n",
             left_margin, top_margin, layout.side());
}

}  // namespace vaetl
