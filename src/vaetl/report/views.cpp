#include "vaetl/report/views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "vaetl/core/error.hpp"
#include "vaetl/report/html.hpp"

namespace vaetl {
namespace {

constexpr std::size_t most_classes = 100'000, largest_map = 100'000;

[[noreturn]] void fail_views(const JsonView& view, std::string_view key, const char* expected) {
  throw FileError({view.where() + ": " + std::string(key), expected, "another", "remove the file from the folder"});
}

std::int64_t whole(double value) { return std::abs(value) < 9e15 ? std::llround(value) : -1; }

}  // namespace

std::string of_examples(const JsonView& view) {
  const std::string split = view.text("split"), part = split == "train" ? "training" : split;
  const auto examples = view.number("examples").value_or(0), of = view.number("of").value_or(0);
  const std::string kind = part.empty() ? "examples" : part + " examples";
  if (of > examples)
    return fmt::format("{} of the {} {}, evenly spread", html::number(examples), html::number(of), kind);
  return fmt::format("{} {}", html::number(examples), kind);
}

ConfusionView read_confusion(const JsonView& view) {
  ConfusionView found{.of = of_examples(view), .classes = view.texts("classes")};
  const auto classes = std::ssize(found.classes);
  if (classes == 0 || found.classes.size() > most_classes) fail_views(view, "classes", "names of some classes");
  for (const auto& row : view.rows("cells", 3)) {
    const ConfusionView::Cell cell{whole(row[0]), whole(row[1]), whole(row[2])};
    const bool fits = std::min(cell.label, cell.called) >= 0 && std::max(cell.label, cell.called) < classes;
    if (!fits || cell.count < 0) fail_views(view, "cells", "[label, called, examples] of the classes");
    found.cells.push_back(cell);
  }
  return found;
}

LatentView read_latent_view(const JsonView& view) {
  LatentView found{.of = of_examples(view),
                   .dimensions = view.number("dimensions").value_or(0),
                   .labels = {},
                   .classes = view.texts("classes"),
                   .maps = {}};
  for (const double label : view.numbers("labels")) {
    found.labels.push_back(whole(label));
    const bool known = found.labels.back() >= 0 && found.labels.back() < std::ssize(found.classes);
    if (!known) fail_views(view, "labels", "labels of the classes");
  }
  for (const JsonView& map : view.objects("maps")) {
    LatentView::Map& made = found.maps.emplace_back();
    made.method = map.text("method");
    made.perplexity = map.number("perplexity"), made.variance_share = map.number("variance_share");
    made.trustworthiness = map.number("trustworthiness");
    for (const auto& point : map.rows("points", 2)) made.points.push_back({point[0], point[1]});
    const bool fits = found.labels.empty() || found.labels.size() == made.points.size();
    if (!fits || made.points.size() > largest_map) fail_views(map, "points", "one for each label");
  }
  return found;
}

}  // namespace vaetl
