#include "vaetl/report/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "vaetl/report/axis.hpp"
#include "vaetl/report/html.hpp"

namespace vaetl {
namespace {

constexpr int colours = 8;
constexpr double left = 66, top = 14, bottom = 62, right = 22;

struct Frame {
  double width, height;
  Axis x, y;
};

// Lines beyond the eighth repeat the colours, dashed.
std::string line_class(int line) { return fmt::format("k{}{}", line % colours, line / colours % 2 ? " dashed" : ""); }

int colour_of_line(const Plot& plot, std::size_t line) {
  const int own = plot.lines[line].colour;
  return own >= 0 ? own : plot.colour + static_cast<int>(line);
}

// A filled shape around (x, y), another for each neighbouring line.
std::string marker(double x, double y, int line, const std::string& note) {
  static const char* const shapes[] = {
      "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z", "m-4.5 -4.5h9v9h-9z", "m0 -6l5.5 10h-11z",
      "m0 -6.5l6 6.5l-6 6.5l-6 -6.5z",         "m0 6l5.5 -10h-11z",  "m-2 -6h4v4h4v4h-4v4h-4v-4h-4v-4h4z"};
  const std::string attributes =
      fmt::format("class=\"{}\" d=\"M{:.1f} {:.1f}{}\"", line_class(line), x, y, shapes[line % std::size(shapes)]);
  return html::tag("path", note.empty() ? "" : html::tag("title", html::escape(note)), attributes);
}

std::string segment(const char* name, double x1, double y1, double x2, double y2) {
  return fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>", name, x1, y1, x2,
                     y2);
}

std::string label(double x, double y, const char* anchor, std::string_view text) {
  return html::tag("text", html::escape(text),
                   fmt::format("x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"", x, y, anchor));
}

std::vector<double> x_values(const Plot& plot) {
  std::set<double> values;
  for (const PlotLine& line : plot.lines) {
    for (const PlotPoint& point : line.points) values.insert(point.x);
  }
  return {values.begin(), values.end()};
}

Frame make_frame(const Plot& plot) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const PlotLine& line : plot.lines) {
    for (const PlotPoint& point : line.points) {
      low = std::min(low, point.y - point.spread), high = std::max(high, point.y + point.spread);
    }
  }
  Frame frame{plot.wide ? 640.0 : 560.0, plot.wide ? 380.0 : 330.0, {}, {}};
  const std::vector<double> values = x_values(plot);
  const double inset = plot.markers ? 16 : 0;  // markers keep clear of the frame
  const double begin = left + inset, end = frame.width - right - inset;
  frame.x = plot.x_values ? Axis::at_values(values, plot.log_x, begin, end)
                          : Axis::round(std::min(0.0, values.front()), values.back(), begin, end, 5);
  const double room = 0.05 * (high - low);
  frame.y = Axis::round(low - room, high + room, frame.height - bottom, top, 6);
  return frame;
}

std::string draw_axes(const Plot& plot, const Frame& frame) {
  const double base = frame.height - bottom, end = frame.width - right;
  std::string svg;
  for (const auto& tick : frame.y.ticks()) {
    svg += segment("grid", left, tick.place, end, tick.place) + label(left - 8, tick.place + 5, "end", tick.label);
  }
  for (const auto& tick : frame.x.ticks()) {
    svg += segment("axis", tick.place, base, tick.place, base + 5) + label(tick.place, base + 23, "middle", tick.label);
  }
  svg += segment("axis", left, base, end, base);
  return svg + label((left + end) / 2, frame.height - 10, "middle", plot.x_label) + "\n";
}

// Lines of one x stand side by side, so that their bars do not cover each other.
double aside(const Plot& plot, std::size_t line) {
  const bool bars = std::any_of(plot.lines.begin(), plot.lines.end(), [](const PlotLine& l) {
    return std::any_of(l.points.begin(), l.points.end(), [](const PlotPoint& p) { return p.spread > 0; });
  });
  return bars ? 3.0 * (static_cast<double>(line) - static_cast<double>(plot.lines.size() - 1) / 2) : 0;
}

std::string draw_line(const Plot& plot, const Frame& frame, std::size_t index) {
  const PlotLine& line = plot.lines[index];
  const int colour = colour_of_line(plot, index);
  std::string places, bars, marks;
  for (const PlotPoint& point : line.points) {
    const double x = frame.x.place(point.x) + aside(plot, index), y = frame.y.place(point.y);
    places += fmt::format("{}{:.1f},{:.1f}", places.empty() ? "" : " ", x, y);
    if (point.spread > 0) {
      const std::string style = "bar " + line_class(colour);
      bars +=
          segment(style.c_str(), x, frame.y.place(point.y - point.spread), x, frame.y.place(point.y + point.spread));
    }
    if (plot.markers || line.points.size() == 1) marks += marker(x, y, colour, point.note);
  }
  const std::string drawn = fmt::format("<polyline class=\"{}\" points=\"{}\"/>", line_class(colour), places);
  return bars + (plot.joined && line.points.size() > 1 ? drawn : "") + marks + "\n";
}

std::string legend(const Plot& plot) {
  std::string items;
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    const int colour = colour_of_line(plot, i);
    std::string swatch = plot.joined ? segment(line_class(colour).c_str(), 1, 7, 29, 7) : "";
    if (plot.markers) swatch += marker(15, 7, colour, {});
    items +=
        html::tag("li", html::tag("svg", swatch, "viewBox=\"0 0 30 14\" stroke-width=\"2.25\" aria-hidden=\"true\"") +
                            html::tag("span", html::escape(plot.lines[i].name)));
  }
  return html::tag("ul", items, "class=\"legend\"") + "\n";
}

}  // namespace

std::string render_plot(const Plot& given) {
  Plot plot = given;
  std::erase_if(plot.lines, [](const PlotLine& line) { return line.points.empty(); });
  if (plot.lines.empty()) return {};
  const Frame frame = make_frame(plot);
  std::string drawing = draw_axes(plot, frame);
  for (std::size_t i = 0; i < plot.lines.size(); ++i) drawing += draw_line(plot, frame, i);
  const std::string caption = plot.title + (plot.y_label.empty() ? "" : ", " + plot.y_label);
  const std::string attributes = fmt::format("viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\"",
                                             frame.width, frame.height, html::escape(caption));
  return html::tag("figure",
                   html::tag("figcaption", html::escape(caption)) + "\n" +
                       html::tag("svg", "\n" + drawing, attributes) + "\n" +
                       (plot.lines.size() > 1 ? legend(plot) : ""),
                   plot.wide ? "class=\"plot wide\"" : "class=\"plot\"") +
         "\n";
}

std::vector<PlotPoint> thin(const std::vector<PlotPoint>& points, std::size_t count) {
  if (points.size() <= count) return points;
  std::vector<PlotPoint> result;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = i * points.size() / count, end = (i + 1) * points.size() / count;
    PlotPoint mean;
    for (std::size_t k = begin; k < end; ++k) mean.x += points[k].x, mean.y += points[k].y;
    mean.x /= static_cast<double>(end - begin), mean.y /= static_cast<double>(end - begin);
    result.push_back(mean);
  }
  return result;
}

}  // namespace vaetl
