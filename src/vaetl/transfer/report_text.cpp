#include "vaetl/transfer/report_text.hpp"

#include <ostream>

#include "vaetl/core/text.hpp"

namespace vaetl::detail {
namespace {

using Rows = std::vector<LoadReport::Row>;

// One layer group of the target, or what the source has of one that is not used.
struct Line {
  std::string group;
  std::vector<std::pair<std::string, std::int64_t>> fates = {};  // "loaded" → number of tensors
  std::int64_t tensors = 0, values = 0;
  std::string training = {};

  void count(const std::string& fate, std::int64_t elements) {
    ++tensors;
    values += elements;
    const auto known = std::find_if(fates.begin(), fates.end(), [&](const auto& f) { return f.first == fate; });
    if (known == fates.end()) {
      fates.emplace_back(fate, 1);
    } else {
      ++known->second;
    }
  }
  std::string weights() const {
    if (fates.size() == 1) return fates[0].first;
    std::vector<std::string> parts;
    for (const auto& [fate, number] : fates) parts.push_back(fmt::format("{} {}", number, fate));
    return join(parts);
  }
};

bool covers(const LayerGroup& group, std::string_view name) {
  return std::any_of(group.prefixes.begin(), group.prefixes.end(), [&](const std::string& prefix) {
    return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '.');
  });
}

// A file's names need not be the source's: then the first part of the name stands for the group.
std::string group_or_prefix(const std::vector<LayerGroup>& groups, const std::string& name) {
  for (const LayerGroup& group : groups) {
    if (covers(group, name)) return group.name;
  }
  return name.substr(0, name.find('.'));
}

std::string describe(const GroupTuning& tuning) {
  if (!tuning.train) return "frozen";
  std::string text = fmt::format("rate × {:g}", tuning.lr_scale);
  if (tuning.weight_decay_scale != 1) text += fmt::format(", decay × {:g}", tuning.weight_decay_scale);
  return text;
}

// Group → "frozen; rate × 0.1 from epoch 2".
std::map<std::string, std::string> timelines(const Tuning& tuning, const Model& model) {
  std::set<std::int64_t> epochs{0};
  for (const TuningRule& rule : tuning) epochs.insert(rule.from_epoch);
  std::map<std::string, std::string> texts;
  std::map<std::string, GroupTuning> before;
  for (std::int64_t epoch : epochs) {
    const auto now = evaluate_tuning(tuning, model, epoch);
    for (const auto& [group, state] : now) {
      if (epoch == 0) texts[group] = describe(state);
      if (epoch > 0 && before.at(group) != state) {
        texts[group] += fmt::format("; {} from epoch {}", describe(state), epoch);
      }
    }
    before = now;
  }
  return texts;
}

std::vector<Line> target_lines(const Adaptation& a) {
  std::vector<Line> lines;
  const auto training = timelines(a.tuning, a.target);
  const std::vector<std::pair<std::string, const Rows*>> fates = {{"loaded", &a.weights.loaded},
                                                                  {"reshaped", &a.weights.reshaped},
                                                                  {"initialised", &a.weights.initialised},
                                                                  {"mismatched", &a.weights.mismatched}};
  for (const LayerGroup& group : a.target.groups()) {
    Line line{group.name};
    line.training = training.at(group.name);
    for (const auto& [fate, rows] : fates) {
      for (const auto& row : *rows) {
        if (covers(group, row.name)) line.count(fate, row.elements);
      }
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<Line> unused_lines(const Adaptation& a) {
  const auto groups = a.source.groups();
  std::vector<Line> lines;
  for (const LayerGroup& group : groups) lines.push_back({group.name});
  for (const auto& row : a.weights.unused) {
    const std::string group = group_or_prefix(groups, row.name);
    auto line = std::find_if(lines.begin(), lines.end(), [&](const Line& l) { return l.group == group; });
    if (line == lines.end()) line = lines.insert(line, {group});
    line->count("unused", row.elements);
  }
  std::erase_if(lines, [](const Line& line) { return line.tensors == 0; });
  return lines;
}

std::string table(const std::vector<Line>& lines) {
  const Line header{"group", {{"weights", 0}}, 0, 0, "training"};
  std::size_t group = header.group.size(), values = 6, weights = header.weights().size();
  for (const Line& line : lines) {
    group = std::max(group, line.group.size());
    values = std::max(values, thousands(line.values).size());
    weights = std::max(weights, line.weights().size());
  }
  auto row = [&](const Line& line, const std::string& tensors, const std::string& number) {
    std::string text = fmt::format("  {:<{}}  {:>7}  {:>{}}  {:<{}}  {}", line.group, group, tensors, number, values,
                                   line.weights(), weights, line.training);
    return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  };
  std::string text = row(header, "tensors", "values");
  for (const Line& line : lines) text += row(line, std::to_string(line.tensors), thousands(line.values));
  return text;
}

struct Detail {
  std::string fate, name, note;
};

// One aligned line a tensor.
std::string listing(const std::vector<Detail>& tensors) {
  std::size_t width = 0;
  for (const Detail& tensor : tensors) width = std::max(width, tensor.name.size());
  std::string text;
  for (const auto& [fate, name, note] : tensors) text += fmt::format("  {:<11}  {:<{}}  {}\n", fate, name, width, note);
  return text.empty() ? text : "\n" + text;
}

// The first few of the rows that are wanted.
void add_details(std::vector<Detail>& details, const std::string& fate, const Rows& rows,
                 const std::function<bool(const LoadReport::Row&)>& wanted) {
  constexpr std::size_t most = 8;
  std::size_t count = 0;
  for (const auto& row : rows) {
    if (wanted(row) && ++count <= most) details.push_back({fate, row.name, row.note});
  }
  if (count > most) details.push_back({fate, fmt::format("and {} more", count - most), "…"});
}

// What a group's line does not tell: every change of shape or type, and what is fresh in a group that is not.
std::string details(const Adaptation& a, const std::vector<Line>& lines) {
  const auto groups = a.target.groups();
  auto all = [](const LoadReport::Row&) { return true; };
  auto converted = [](const LoadReport::Row& row) { return row.note.find("converted") != std::string::npos; };
  auto mixed = [&](const LoadReport::Row& row) {
    const auto group = group_or_prefix(groups, row.name);
    return std::any_of(lines.begin(), lines.end(),
                       [&](const Line& l) { return l.group == group && l.fates.size() > 1; });
  };
  std::vector<Detail> tensors;
  add_details(tensors, "loaded", a.weights.loaded, converted);
  add_details(tensors, "reshaped", a.weights.reshaped, all);
  add_details(tensors, "mismatched", a.weights.mismatched, all);
  add_details(tensors, "initialised", a.weights.initialised, mixed);
  return listing(tensors);
}

std::int64_t total(std::initializer_list<const Rows*> kinds) {
  std::int64_t sum = 0;
  for (const Rows* rows : kinds) {
    for (const auto& row : *rows) sum += row.elements;
  }
  return sum;
}

std::string heading(const Adaptation& a) {
  const LoadReport& w = a.weights;
  const std::size_t taken = w.loaded.size() + w.reshaped.size();
  const std::size_t all = taken + w.initialised.size() + w.mismatched.size();
  return fmt::format("{} → {}: {} of {} tensors loaded, {} of {} values\n", a.source.spec().name, a.target.spec().name,
                     taken, all, thousands(total({&w.loaded, &w.reshaped})),
                     thousands(total({&w.loaded, &w.reshaped, &w.initialised, &w.mismatched})));
}

std::string closing(const Adaptation& a) {
  const auto tuning = evaluate_tuning(a.tuning, a.target, 0);
  std::int64_t trained = 0;
  for (const auto& item : a.target.named_parameters()) {
    if (tuning.at(group_of(a.target, item.key())).train) trained += item.value().numel();
  }
  return fmt::format("  trains {} of {} parameters; preprocessing: {}\n", thousands(trained),
                     thousands(parameter_count(a.target)), a.preprocessing);
}

}  // namespace

std::string report_text(const Adaptation& adaptation) {
  std::vector<Line> lines = target_lines(adaptation);
  const std::string notes = details(adaptation, lines);
  for (Line& line : unused_lines(adaptation)) lines.push_back(std::move(line));
  return heading(adaptation) + "\n" + table(lines) + notes + "\n" + closing(adaptation);
}

}  // namespace vaetl::detail

namespace vaetl {

std::ostream& operator<<(std::ostream& out, const AdaptReport& report) { return out << report.text; }

}  // namespace vaetl
