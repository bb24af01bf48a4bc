// What the points of a sweep say together.
#include <numbers>

#include "vaetl/core/text.hpp"
#include "vaetl/recipe/sweep_parts.hpp"

namespace vaetl::recipe {
namespace {

struct Moments {
  double mean = 0, sd = 0;
  std::int64_t n = 0;
};

Moments moments(const std::vector<double>& values) {
  Moments m{.n = static_cast<std::int64_t>(values.size())};
  for (const double value : values) m.mean += value / static_cast<double>(m.n);
  for (const double value : values) m.sd += (value - m.mean) * (value - m.mean);
  m.sd = m.n > 1 ? std::sqrt(m.sd / static_cast<double>(m.n - 1)) : 0;
  return m;
}

Json spread_json(const Moments& m, double value) { return m.n > 1 ? Json(value) : Json(); }

using BySeed = std::map<std::uint64_t, double>;

BySeed values_of(const std::vector<Json>& results, const std::string& way, const Json& vary) {
  BySeed values;
  for (const Json& result : results) {
    if (result["way"] == way && result["vary"] == vary) values[result["seed"]] = result["value"].get<double>();
  }
  return values;
}

Json summary_row(const std::string& way, const Json& vary, const BySeed& by_seed) {
  std::vector<double> values;
  for (const auto& [seed, value] : by_seed) values.push_back(value);
  const Moments m = moments(values);
  return {{"way", way}, {"vary", vary},    {"mean", m.mean}, {"spread", spread_json(m, m.sd)},
          {"n", m.n},   {"values", values}};
}

Json difference_row(const std::string& way, const std::string& baseline, const Json& vary, const BySeed& a,
                    const BySeed& b) {
  std::vector<double> differences;
  for (const auto& [seed, value] : a) {
    if (const auto other = b.find(seed); other != b.end()) differences.push_back(value - other->second);
  }
  if (differences.empty()) return {};
  const Moments m = moments(differences);
  const double half = m.n > 1 ? t_quantile_95(m.n - 1) * m.sd / std::sqrt(static_cast<double>(m.n)) : 0;
  return {{"way", way},
          {"against", baseline},
          {"vary", vary},
          {"mean", m.mean},
          {"spread", spread_json(m, m.sd)},
          {"low", spread_json(m, m.mean - half)},
          {"high", spread_json(m, m.mean + half)},
          {"n", m.n}};
}

// In the order in which they first stand among the points.
template <class Value>
std::vector<Value> distinct(const std::vector<Json>& results, const char* key) {
  std::vector<Value> values;
  for (const Json& result : results) {
    if (std::find(values.begin(), values.end(), result[key]) == values.end()) values.push_back(result[key]);
  }
  return values;
}

// P(|T| ≤ t) for a whole number of degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4).
double t_within(double t, std::int64_t degrees) {
  const double theta = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const double s = std::sin(theta), c = std::cos(theta);
  const bool odd = degrees % 2 != 0;
  double term = odd ? c : 1, sum = degrees > 1 ? term : 0;
  for (std::int64_t k = odd ? 3 : 2; k <= degrees - 2; k += 2) {
    const auto d = static_cast<double>(k);
    term *= c * c * (d - 1) / d;
    sum += term;
  }
  return odd ? 2 / std::numbers::pi * (theta + s * sum) : s * sum;
}

std::string short_key(const std::string& key) { return key.substr(key.find_last_of('.') + 1); }
std::string value_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string vary_label(const Json& vary) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : vary.items()) parts.push_back(short_key(key) + "=" + value_text(value));
  return join(parts);
}

std::string cell(const Json& row) {
  const std::string mean = fmt::format("{:.4f}", row["mean"].get<double>());
  return row["spread"].is_null() ? mean : fmt::format("{} ± {:.4f}", mean, row["spread"].get<double>());
}

const Json* find_row(const Json& rows, const std::string& way, const Json& vary) {
  for (const Json& row : rows) {
    if (row["way"] == way && row["vary"] == vary) return &row;
  }
  return nullptr;
}

std::string difference_line(const Json& row) {
  std::string text = fmt::format("  {} − {}", row["way"].get<std::string>(), row["against"].get<std::string>());
  if (!row["vary"].empty()) text += ", " + vary_label(row["vary"]);
  text += fmt::format(": {:+.4f}", row["mean"].get<double>());
  if (!row["low"].is_null()) {
    text += fmt::format(" [{:+.4f}, {:+.4f}]", row["low"].get<double>(), row["high"].get<double>());
  }
  return text + "\n";
}

// Bytes are no columns: "±" takes one.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

std::string pad(const std::string& text, std::size_t to) {
  return text + std::string(to > width(text) ? to - width(text) : 0, ' ');
}

using Table = std::vector<std::vector<std::string>>;

std::string align(const Table& table) {
  std::vector<std::size_t> widths(table[0].size(), 0);
  for (const auto& row : table) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : table) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += pad(row[i], widths[i] + 2);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string metric_label(const Json& sweep) {
  const auto metric = sweep["metric"].get<std::string>();
  return sweep["on"] == "validation" ? metric + " (validation)" : metric;
}

// Ways in rows, settings in columns.
Table grid_table(const Json& sweep, const std::vector<Json>& settings, const std::vector<std::string>& ways) {
  Table table = {{metric_label(sweep)}};
  for (const Json& setting : settings) table[0].push_back(vary_label(setting));
  for (const auto& way : ways) {
    table.push_back({way});
    for (const Json& setting : settings) {
      const Json* row = find_row(sweep["summary"], way, setting);
      table.back().push_back(row ? cell(*row) : "–");
    }
  }
  return table;
}

// Of settings that were drawn: a row each, the best way's mean deciding which is first.
Table ranked_table(const Json& sweep, std::vector<Json> settings, const std::vector<std::string>& ways) {
  const double sign = sweep["higher_is_better"].get<bool>() ? -1 : 1;
  std::map<std::string, double> best;
  for (const Json& row : sweep["summary"]) {
    const double mean = sign * row["mean"].get<double>();
    const auto [at, first] = best.emplace(row["vary"].dump(), mean);
    if (!first) at->second = std::min(at->second, mean);
  }
  std::stable_sort(settings.begin(), settings.end(),
                   [&](const Json& a, const Json& b) { return best.at(a.dump()) < best.at(b.dump()); });
  Table table(1);
  for (const auto& [key, value] : settings[0].items()) table[0].push_back(short_key(key));
  for (const auto& way : ways) table[0].push_back(ways.size() == 1 ? metric_label(sweep) : way);
  for (const Json& setting : settings) {
    auto& line = table.emplace_back();
    for (const auto& [key, value] : setting.items()) line.push_back(value_text(value));
    for (const auto& way : ways) {
      const Json* row = find_row(sweep["summary"], way, setting);
      line.push_back(row ? cell(*row) : "–");
    }
  }
  return table;
}

}  // namespace

double t_quantile_95(std::int64_t degrees_of_freedom) {
  double low = 0, high = 13;  // 12.706 with one degree of freedom
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (t_within(middle, degrees_of_freedom) < 0.95 ? low : high) = middle;
  }
  return (low + high) / 2;
}

Json summarise_points(const SweepOptions& options, const std::vector<Json>& results) {
  Json points = Json::array(), summary = Json::array(), differences = Json::array();
  for (const Json& result : results) {
    Json point = Json::object();
    for (const char* key : {"id", "way", "vary", "seed", "value", "metrics", "chosen", "seconds", "steps"}) {
      point[key] = result[key];
    }
    points.push_back(std::move(point));
  }
  const auto ways = distinct<std::string>(results, "way");
  for (const Json& vary : distinct<Json>(results, "vary")) {
    const BySeed baseline = values_of(results, options.baseline, vary);
    for (const auto& way : ways) {
      const BySeed values = values_of(results, way, vary);
      if (values.empty()) continue;
      summary.push_back(summary_row(way, vary, values));
      if (way == options.baseline || baseline.empty()) continue;
      const Json difference = difference_row(way, options.baseline, vary, values, baseline);
      if (!difference.is_null()) differences.push_back(difference);
    }
  }
  return {{"points", points}, {"summary", summary}, {"paired", differences}};
}

std::string sweep_table(const Json& sweep) {
  std::vector<Json> columns;
  std::vector<std::string> ways;
  for (const Json& row : sweep["summary"]) {
    if (std::find(columns.begin(), columns.end(), row["vary"]) == columns.end()) columns.push_back(row["vary"]);
    const auto way = row["way"].get<std::string>();
    if (std::find(ways.begin(), ways.end(), way) == ways.end()) ways.push_back(way);
  }
  if (ways.empty()) return {};
  const bool drawn = !sweep["drawn"].is_null();
  std::string text = align(drawn ? ranked_table(sweep, columns, ways) : grid_table(sweep, columns, ways));
  if (!sweep["paired"].empty()) text += "\npaired differences, 95 % interval\n";
  for (const Json& row : sweep["paired"]) text += difference_line(row);
  return text;
}

}  // namespace vaetl::recipe
