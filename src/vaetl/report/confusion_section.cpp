// Which classes are taken for which: a table of shaded cells, or the pairs that are most often confused.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "vaetl/report/html.hpp"
#include "vaetl/report/section.hpp"
#include "vaetl/report/views.hpp"

namespace vaetl {
namespace {

constexpr std::size_t most_drawn = 30, most_pairs = 20, most_rows = 60;
constexpr int shades = 9;

struct ClassCount {
  std::int64_t examples = 0, called = 0, right = 0;
  ConfusionView::Cell mistake{0, 0, 0};  // what it is most often taken for
};

std::vector<ClassCount> count_classes(const ConfusionView& view) {
  std::vector<ClassCount> counts(view.classes.size());
  for (const auto& cell : view.cells) {
    ClassCount& label = counts[static_cast<std::size_t>(cell.label)];
    label.examples += cell.count;
    counts[static_cast<std::size_t>(cell.called)].called += cell.count;
    if (cell.label == cell.called) {
      label.right += cell.count;
    } else if (cell.count > label.mistake.count) {
      label.mistake = cell;
    }
  }
  return counts;
}

std::string integer(std::int64_t value) { return html::number(static_cast<double>(value)); }

std::string percent_of(std::int64_t part, std::int64_t all) {
  return all == 0 ? "–" : html::fixed(100.0 * static_cast<double>(part) / static_cast<double>(all), 1);
}

const std::string& name_of_class(const ConfusionView& view, std::int64_t label) {
  return view.classes[static_cast<std::size_t>(label)];
}

// "s0" to "s9": the page's style knows the colours.
std::string shade_class(std::int64_t part, std::int64_t all) {
  const double share = static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(all, 1));
  return fmt::format("s{}", static_cast<int>(std::ceil(std::clamp(share, 0.0, 1.0) * shades)));
}

std::string drawn_matrix(const ConfusionView& view, const std::vector<ClassCount>& counts) {
  html::Table table{.caption = fmt::format("Of {}: a row for what they are, a column for what they are taken for. The "
                                           "stronger a cell, the larger its share of the row.",
                                           view.of),
                    .columns = {{"is"}},
                    .classes = "matrix"};
  for (const std::string& name : view.classes) table.columns.push_back({html::tag("span", html::escape(name))});
  for (const std::string& name : view.classes) {
    table.rows.push_back({{html::escape(name)}});
    table.rows.back().resize(view.classes.size() + 1);
  }
  for (const auto& cell : view.cells) {
    const auto row = static_cast<std::size_t>(cell.label), column = static_cast<std::size_t>(cell.called);
    table.rows[row][column + 1] = {integer(cell.count), shade_class(cell.count, counts[row].examples)};
  }
  return html::table(table);
}

std::string confused_pairs(const ConfusionView& view, const std::vector<ClassCount>& counts) {
  std::vector<ConfusionView::Cell> pairs;
  std::copy_if(view.cells.begin(), view.cells.end(), std::back_inserter(pairs),
               [](const auto& cell) { return cell.label != cell.called && cell.count > 0; });
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  const std::size_t all = pairs.size();
  if (all > most_pairs) pairs.resize(most_pairs);
  html::Table table{
      .caption = fmt::format("Of {}, the {} pairs that are most often confused, of {}. {} classes are too "
                             "many for a matrix.",
                             view.of, pairs.size(), integer(static_cast<std::int64_t>(all)),
                             integer(std::ssize(view.classes))),
      .columns = {{"is"}, {"taken for", "text"}, {"examples"}, {"of its class (%)"}}};
  for (const auto& pair : pairs) {
    const std::int64_t examples = counts[static_cast<std::size_t>(pair.label)].examples;
    table.rows.push_back({{html::escape(name_of_class(view, pair.label))},
                          {html::escape(name_of_class(view, pair.called)), "text"},
                          {integer(pair.count)},
                          {percent_of(pair.count, examples)}});
  }
  return table.rows.empty() ? html::tag("p", "No example was taken for another class.") + "\n" : html::table(table);
}

// The classes that are recognised least come first.
std::string by_class(const ConfusionView& view, const std::vector<ClassCount>& counts) {
  std::vector<std::size_t> order;
  for (std::size_t label = 0; label < counts.size(); ++label) {
    if (counts[label].examples + counts[label].called > 0) order.push_back(label);
  }
  const auto recall = [&](std::size_t label) {
    const ClassCount& count = counts[label];
    return count.examples == 0 ? 2 : static_cast<double>(count.right) / static_cast<double>(count.examples);
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return recall(a) < recall(b); });
  const std::string cut = order.size() > most_rows ? fmt::format(" The first {} of {}.", most_rows, order.size()) : "";
  if (order.size() > most_rows) order.resize(most_rows);
  html::Table table{
      .caption =
          "Recall: of the examples of a class, how many are called so. Precision: of those called so, how many "
          "are. The least recall first." +
          cut,
      .columns = {{"class"}, {"examples"}, {"recall (%)"}, {"precision (%)"}, {"most often taken for", "text"}}};
  for (const std::size_t label : order) {
    const ClassCount& count = counts[label];
    const std::string mistake =
        count.mistake.count == 0
            ? "–"
            : fmt::format("{} ({})", name_of_class(view, count.mistake.called), integer(count.mistake.count));
    table.rows.push_back({{html::escape(view.classes[label])},
                          {integer(count.examples)},
                          {percent_of(count.right, count.examples)},
                          {percent_of(count.right, count.called)},
                          {html::escape(mistake), "text"}});
  }
  return html::folded("Class by class", html::table(table));
}

}  // namespace

std::string render_confusion(const ReportFolder& folder, int level) {
  const JsonView json = folder.view_of("confusion");
  if (json.empty()) return {};
  const ConfusionView view = read_confusion(json);
  const auto counts = count_classes(view);
  const bool drawn = view.classes.size() <= most_drawn;
  return html::heading(level, "What is taken for what") +
         (drawn ? drawn_matrix(view, counts) : confused_pairs(view, counts)) + by_class(view, counts);
}

}  // namespace vaetl
