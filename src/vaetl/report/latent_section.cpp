// Maps of the latents, a dot an example.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "vaetl/report/html.hpp"
#include "vaetl/report/section.hpp"
#include "vaetl/report/views.hpp"

namespace vaetl {
namespace {

constexpr double map_side = 480, map_margin = 14;
constexpr std::size_t most_palette = 10, most_named = 24;

// How a point lies in the drawing: both axes to one scale, y upwards.
struct MapFrame {
  double middle_x = 0, middle_y = 0, scale = 1;
  explicit MapFrame(const std::vector<LatentView::Point>& points) {
    double low_x = std::numeric_limits<double>::infinity(), low_y = low_x, high_x = -low_x, high_y = -low_x;
    for (const auto& point : points) {
      low_x = std::min(low_x, point.x), high_x = std::max(high_x, point.x);
      low_y = std::min(low_y, point.y), high_y = std::max(high_y, point.y);
    }
    middle_x = (low_x + high_x) / 2, middle_y = (low_y + high_y) / 2;
    scale = (map_side - 2 * map_margin) / std::max({high_x - low_x, high_y - low_y, 1e-30});
  }
  double x(const LatentView::Point& point) const { return map_side / 2 + scale * (point.x - middle_x); }
  double y(const LatentView::Point& point) const { return map_side / 2 - scale * (point.y - middle_y); }
};

// Ten colours of the page; of more classes, hues round the wheel.
std::string dot_style(std::size_t group, std::size_t groups) {
  if (groups <= most_palette) return fmt::format("class=\"dots k{}\"", group);
  return fmt::format("class=\"dots hue{}\" style=\"--hue:{}\"", group % 2 == 0 ? "" : " odd", group * 360 / groups);
}

// Every dot of a class is a line of no length with round ends: one element instead of hundreds.
std::string dots_of(const LatentView& view, const LatentView::Map& map, std::size_t group, const MapFrame& frame) {
  std::string places;
  for (std::size_t i = 0; i < map.points.size(); ++i) {
    if (!view.labels.empty() && view.labels[i] != static_cast<std::int64_t>(group)) continue;
    places += fmt::format("M{:.1f} {:.1f}h0", frame.x(map.points[i]), frame.y(map.points[i]));
  }
  if (places.empty()) return {};
  const std::string name = view.labels.empty() ? "" : html::tag("title", html::escape(view.classes[group]));
  const std::size_t groups = std::max<std::size_t>(1, view.classes.size());
  return html::tag("path", name, fmt::format("{} d=\"{}\"", dot_style(group, groups), places)) + "\n";
}

std::string map_title(const LatentView::Map& map) {
  if (map.method == "pca") return "The two principal components";
  if (map.method == "tsne") return "t-SNE";
  return map.method == "latents" ? "The two latents themselves" : map.method;
}

// How it was made and how far it is to be trusted.
std::string map_note(const LatentView::Map& map) {
  std::string note;
  if (map.variance_share) {
    note += fmt::format("They hold {}\u00a0% of the variance. ", html::fixed(100 * *map.variance_share, 0));
  }
  if (map.perplexity) {
    note += fmt::format("Perplexity {}; distances between groups mean little. ", html::number(*map.perplexity));
  }
  if (map.trustworthiness) {
    note += fmt::format("Trustworthiness {}: 1 where neighbours on the map are neighbours in the latent space.",
                        html::fixed(*map.trustworthiness, 2));
  }
  return note.empty() ? "" : html::tag("p", html::escape(note), "class=\"note\"") + "\n";
}

std::string drawn_map(const LatentView& view, const LatentView::Map& map) {
  if (map.points.empty()) return {};
  const MapFrame frame(map.points);
  std::string drawing;
  const std::size_t groups = view.labels.empty() ? 1 : view.classes.size();
  for (std::size_t group = 0; group < groups; ++group) drawing += dots_of(view, map, group, frame);
  const std::string title = html::escape(map_title(map));
  const std::string attributes =
      fmt::format("viewBox=\"0 0 {0:.0f} {0:.0f}\" role=\"img\" aria-label=\"{1}\"", map_side, title);
  return html::tag("figure",
                   html::tag("figcaption", title) + "\n" + html::tag("svg", "\n" + drawing, attributes) + "\n" +
                       map_note(map),
                   "class=\"plot map\"") +
         "\n";
}

std::string map_legend(const LatentView& view) {
  if (view.labels.empty()) return {};
  const std::size_t groups = view.classes.size(), named = std::min(groups, most_named);
  std::string items;
  for (std::size_t group = 0; group < named; ++group) {
    const std::string dot = html::tag("path", "", dot_style(group, groups) + " d=\"M7 7h0\"");
    items += html::tag("li", html::tag("svg", dot, "viewBox=\"0 0 14 14\" class=\"dot\" aria-hidden=\"true\"") +
                                 html::tag("span", html::escape(view.classes[group])));
  }
  if (named < groups) items += html::tag("li", fmt::format("and {} more", groups - named));
  return html::tag("ul", items, "class=\"legend\"") + "\n";
}

}  // namespace

std::string render_latents(const ReportFolder& folder, int level) {
  const JsonView json = folder.view_of("latents");
  if (json.empty()) return {};
  const LatentView view = read_latent_view(json);
  std::string maps;
  for (const auto& map : view.maps) maps += drawn_map(view, map);
  if (maps.empty()) return {};
  const std::string about = fmt::format("A dot is what the encoder makes of an example, in {} dimensions: {}{}.",
                                        html::number(view.dimensions), view.of,
                                        view.labels.empty() ? ", without classes" : ", coloured by their class");
  return html::heading(level, "Latent space") + html::tag("p", html::escape(about), "class=\"note\"") + "\n" +
         html::tag("div", "\n" + maps, "class=\"plots\"") + "\n" + map_legend(view);
}

}  // namespace vaetl
