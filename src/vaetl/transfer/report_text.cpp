#include "vaetl/transfer/report_text.hpp"

#include <ostream>

#include "vaetl/core/text.hpp"
#include "vaetl/nn/weight_names.hpp"

namespace vaetl::detail {
namespace {

// One layer group of the target, or what the source has of one that is not used; several that are alike.
struct Line {
  std::string group, last = {};                                  // the last of several
  std::vector<std::pair<std::string, std::int64_t>> fates = {};  // "loaded" → number of tensors
  std::int64_t several = 1, tensors = 0, values = 0, taken = 0;
  std::string why = {}, training = {};
  bool of_target = true;

  void count(const std::string& fate, std::int64_t elements, std::int64_t from_source = 0) {
    ++tensors;
    values += elements;
    taken += from_source;
    const auto known = std::find_if(fates.begin(), fates.end(), [&](const auto& f) { return f.first == fate; });
    if (known == fates.end()) {
      fates.emplace_back(fate, 1);
    } else {
      ++known->second;
    }
  }
  std::string name() const { return last.empty() ? group : group + (several > 2 ? " … " : ", ") + last; }
  std::string weights() const {
    if (fates.size() == 1) return fates[0].first + (why.empty() ? "" : ": " + why);
    std::vector<std::string> parts;
    for (const auto& [fate, number] : fates) parts.push_back(fmt::format("{} {}", number, fate));
    return join(parts);
  }
  bool is_like(const Line& other) const {
    return fates.size() == 1 && other.fates.size() == 1 && weights() == other.weights() && training == other.training &&
           of_target == other.of_target;
  }
};

// The width of text on a screen, for names and signs that are longer in bytes.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// A file's names need not be the source's: then the first part of the name stands for the group.
std::string group_or_prefix(const std::vector<LayerGroup>& groups, const std::string& name) {
  for (const LayerGroup& group : groups) {
    if (covers(group, name)) return group.name;
  }
  return name.substr(0, name.find('.'));
}

// A counter that an old file lacks: nothing that is missed.
bool is_absent_counter(const Fate& fate) { return fate.outcome == "initialised" && is_batch_counter(fate.name); }

std::string describe(const GroupTuning& tuning) {
  if (!tuning.train) return "frozen";
  std::string text = fmt::format("rate × {:.3g}", tuning.lr_scale);
  if (tuning.weight_decay_scale != 1) text += fmt::format(", decay × {:g}", tuning.weight_decay_scale);
  if (tuning.norm == "statistics") text += ", statistics of batch norm stand";
  if (tuning.norm == "frozen") text += ", batch norm stands";
  return text;
}

std::string moment(double from, const std::string& unit) {
  if (unit == "epochs") return fmt::format("epoch {:g}", from);
  if (unit == "steps") return fmt::format("step {:g}", from);
  return fmt::format("{:.3g} % of training", 100 * from);
}

// The rules that count at a moment, from the start.
Tuning rules_until(const Tuning& tuning, double from, const std::string& unit) {
  Tuning rules;
  for (TuningRule rule : tuning) {
    if (rule.from > 0 && (rule.unit != unit || rule.from > from)) continue;
    rule.from = 0;
    rules.push_back(std::move(rule));
  }
  return rules;
}

// Group → "frozen; rate × 0.1 from epoch 2".
std::map<std::string, std::string> timelines(const Tuning& tuning, const Model& model) {
  std::map<std::string, std::set<double>> moments;
  for (const TuningRule& rule : tuning) {
    if (rule.from > 0) moments[rule.unit].insert(rule.from);
  }
  const auto start = evaluate_tuning(tuning, model);
  std::map<std::string, std::string> texts;
  for (const auto& [group, state] : start) texts[group] = describe(state);
  for (const auto& [unit, times] : moments) {
    auto before = start;
    for (const double from : times) {
      const auto now = evaluate_tuning(rules_until(tuning, from, unit), model);
      for (const auto& [group, state] : now) {
        if (before.at(group) != state) texts[group] += fmt::format("; {} from {}", describe(state), moment(from, unit));
      }
      before = now;
    }
  }
  return texts;
}

std::vector<Line> target_lines(const Adaptation& a, const std::vector<Fate>& fates) {
  std::vector<Line> lines;
  const auto training = timelines(a.tuning, a.target);
  for (const LayerGroup& group : a.target.groups()) {
    Line line{.group = group.name, .training = training.at(group.name)};
    for (const Fate& fate : fates) {
      if (fate.group != group.name || is_absent_counter(fate)) continue;
      line.count(fate.outcome, fate.values, fate.taken);
      if (fate.outcome == "initialised") line.why = fate.why;
    }
    if (line.tensors > 0) lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<Line> unused_lines(const Adaptation& a) {
  const auto groups = a.source.groups();
  std::vector<Line> lines;
  for (const LayerGroup& group : groups) lines.push_back({.group = group.name, .of_target = false});
  for (const auto& row : a.weights.unused) {
    const std::string group = group_or_prefix(groups, row.name);
    auto line = std::find_if(lines.begin(), lines.end(), [&](const Line& l) { return l.group == group; });
    if (line == lines.end()) line = lines.insert(line, {.group = group, .of_target = false});
    const bool old_head = is_head(group) && !a.options.heads.empty();
    line->count(row.note != dropped ? "in the source alone"
                : old_head          ? "in the source, replaced"
                                    : "in the source, dropped",
                row.elements);
  }
  std::erase_if(lines, [](const Line& line) { return line.tensors == 0; });
  return lines;
}

// Neighbours that are alike become one line.
std::vector<Line> compressed(const std::vector<Line>& lines) {
  std::vector<Line> result;
  for (const Line& line : lines) {
    if (result.empty() || !result.back().is_like(line)) {
      result.push_back(line);
      continue;
    }
    Line& run = result.back();
    run.last = line.group;
    ++run.several;
    run.tensors += line.tensors;
    run.values += line.values;
    run.taken += line.taken;
  }
  return result;
}

// Nothing and all are told exactly.
std::string share(std::int64_t part, std::int64_t whole) {
  if (part == whole) return "100 %";
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return part == 0 ? "0 %" : fmt::format("{:.0f} %", std::clamp(percent, 1.0, 99.0));
}

std::string aligned(const std::vector<std::vector<std::string>>& rows, std::string_view right) {
  std::vector<std::size_t> widths(right.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - width_of(row[i]), ' ');
      line += "  " + (right[i] == 'r' ? space + row[i] : row[i] + space);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string table(const std::vector<Line>& lines) {
  std::vector<std::vector<std::string>> rows = {{"group", "tensors", "values", "loaded", "weights", "training"}};
  for (const Line& line : lines) {
    rows.push_back({line.name(), std::to_string(line.tensors), thousands(line.values),
                    line.of_target ? share(line.taken, line.values) : "–", line.weights(), line.training});
  }
  return aligned(rows, "lrrrll");
}

// "layer1.3" of "layer1.3.conv1.weight": neighbours of which the same is told share a line.
std::string part_of(const std::string& name) {
  const auto last = name.rfind('.');
  const auto before = last == name.npos || last == 0 ? name.npos : name.rfind('.', last - 1);
  return before == name.npos ? name : name.substr(0, before);
}

// "encoder.0." of "encoder.0.conv.bias" and "encoder.0.norm.bias".
std::string common_part(const std::string& a, const std::string& b) {
  const auto end = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
  const std::string common(a.begin(), end);
  return common.substr(0, common.rfind('.') + 1);
}

struct Alike {
  const Fate* first = nullptr;
  std::size_t count = 0;
  std::string prefix = {};
};

// The first few lines of the tensors that are wanted.
using Listing = std::vector<std::vector<std::string>>;
void add_details(Listing& listing, const std::vector<Fate>& fates, const std::string& outcome,
                 const std::function<bool(const Fate&)>& wanted) {
  constexpr std::size_t most = 8;
  std::vector<Alike> runs;
  for (const Fate& fate : fates) {
    if (fate.outcome != outcome || !wanted(fate)) continue;
    const Fate* first = runs.empty() ? nullptr : runs.back().first;
    if (first != nullptr && first->why == fate.why && part_of(first->name) == part_of(fate.name)) {
      ++runs.back().count;
      runs.back().prefix = common_part(runs.back().prefix, fate.name);
    } else {
      runs.push_back({&fate, 1, fate.name});
    }
  }
  for (const auto& [fate, count, prefix] : std::span(runs).first(std::min(most, runs.size()))) {
    const std::string name = count == 1 ? fate->name : fmt::format("{}* ({} tensors)", prefix, count);
    listing.push_back({outcome, name, fate->why});
  }
  if (runs.size() > most) listing.push_back({outcome, fmt::format("and {} more", runs.size() - most), "…"});
}

void add_counters(Listing& listing, const std::vector<Fate>& fates) {
  const auto first = std::find_if(fates.begin(), fates.end(), is_absent_counter);
  if (first == fates.end()) return;
  const auto count = std::count_if(fates.begin(), fates.end(), is_absent_counter);
  const std::string more = count > 1 ? fmt::format(" (and {} more)", count - 1) : "";
  listing.push_back({"counter", first->name + more, first->why});
}

// Tensors of the source that the target lacks in a group that it has: another norm, another depth.
std::vector<Fate> left_out(const Adaptation& a) {
  std::set<std::string> groups;
  for (const LayerGroup& group : a.target.groups()) groups.insert(group.name);
  std::vector<Fate> fates;
  for (const auto& row : a.weights.unused) {
    const std::string group = group_or_prefix(a.source.groups(), row.name);
    const bool partly = row.note != dropped && groups.contains(group) && !is_head(group);
    if (partly)
      fates.push_back({.name = row.name, .group = group, .outcome = "left out", .why = "in the source alone"});
  }
  return fates;
}

// What a group's line does not tell: every change of shape, type or scale, and what is fresh in a group that is not.
std::string details(const Adaptation& a, const std::vector<Fate>& fates, const std::vector<Line>& lines) {
  auto all = [](const Fate&) { return true; };
  auto changed = [](const Fate& fate) {
    return fate.why.find("converted") != fate.why.npos || fate.why.find("times ") != fate.why.npos;
  };
  auto mixed = [&](const Fate& fate) {
    return !is_absent_counter(fate) && std::any_of(lines.begin(), lines.end(), [&](const Line& line) {
      return line.group == fate.group && line.fates.size() > 1;
    });
  };
  Listing listing;
  add_details(listing, fates, "loaded", changed);
  add_details(listing, fates, "reshaped", all);
  add_details(listing, fates, "mismatched", all);
  add_details(listing, fates, "initialised", mixed);
  add_details(listing, left_out(a), "left out", all);
  add_counters(listing, fates);
  return listing.empty() ? "" : "\n" + aligned(listing, "lll");
}

std::string heading(const Adaptation& a, const std::vector<Fate>& fates) {
  std::int64_t tensors = 0, loaded = 0, values = 0, taken = 0;
  for (const Fate& fate : fates) {
    if (is_absent_counter(fate)) continue;
    ++tensors;
    loaded += fate.outcome == "loaded" || fate.outcome == "reshaped";
    values += fate.values;
    taken += fate.taken;
  }
  const double backbone = 100 * matched(fates);
  return fmt::format("{} → {}: {} of {} tensors, {} of {} values from the source, {:.3g} % of the backbone{}\n",
                     a.source.spec().name, a.target.spec().name, loaded, tensors, thousands(taken), thousands(values),
                     backbone < 100 ? std::min(backbone, 99.9) : backbone,
                     a.options.match == "order" ? "; paired by order and shape, not by name" : "");
}

std::string closing(const Adaptation& a) {
  const auto start = evaluate_tuning(a.tuning, a.target);
  const auto ever = trained_groups(a.tuning, a.target);
  std::int64_t at_first = 0, trained = 0;
  for (const auto& item : a.target.named_parameters()) {
    const std::string group = group_of(a.target, item.key());
    if (start.at(group).train) at_first += item.value().numel();
    if (ever.contains(group)) trained += item.value().numel();
  }
  const std::string later = at_first < trained ? fmt::format(", {} of them from the start", thousands(at_first)) : "";
  return fmt::format("  trains {} of {} parameters{}; preprocessing: {}\n", thousands(trained),
                     thousands(parameter_count(a.target)), later, a.preprocessing);
}

}  // namespace

std::string report_text(const Adaptation& adaptation) {
  const auto all = fates(adaptation);
  std::vector<Line> lines = target_lines(adaptation, all);
  const std::string notes = details(adaptation, all, lines);
  for (Line& line : unused_lines(adaptation)) lines.push_back(std::move(line));
  return heading(adaptation, all) + "\n" + table(compressed(lines)) + notes + "\n" + closing(adaptation);
}

}  // namespace vaetl::detail

namespace vaetl {

std::ostream& operator<<(std::ostream& out, const AdaptReport& report) { return out << report.text; }

}  // namespace vaetl
