#include "vaetl/data/readers/cases.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/text_table.hpp"
#include "vaetl/data/readers/text_values.hpp"
#include "vaetl/io/line_reader.hpp"
#include "vaetl/io/npy.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

// One case cannot be read, and is left out; whoever reads it says where.
[[noreturn]] void flaw(std::string expected, std::string found, std::string remedy = {}) {
  throw Problem{{}, std::move(expected), std::move(found), std::move(remedy)};
}

void leave_out(Skips& skips, Problem problem, const std::string& place) {
  problem.where = place;
  skips.add(std::move(problem));
}

// The values of one dimension: a number, or `missing`.
float value_of(std::string_view text) {
  if (is_missing(text)) return missing;
  const auto value = parse_number(trimmed(text));
  if (value) return static_cast<float>(*value);
  flaw("a number", quote(text));
}

// Values missing between two others lie on the line between them; before the first and behind the last they equal it.
void interpolate(std::vector<float>& values) {
  std::ptrdiff_t last = -1;
  const auto size = static_cast<std::ptrdiff_t>(values.size());
  for (std::ptrdiff_t t = 0; t <= size; ++t) {
    if (t < size && std::isnan(values[static_cast<std::size_t>(t)])) continue;
    if (t == size && last < 0) flaw("a dimension with values", "none but missing ones");
    const float after = t < size ? values[static_cast<std::size_t>(t)] : values[static_cast<std::size_t>(last)];
    const float before = last < 0 ? after : values[static_cast<std::size_t>(last)];
    for (std::ptrdiff_t i = last + 1; i < t; ++i) {
      const float share = static_cast<float>(i - last) / static_cast<float>(t - last);
      values[static_cast<std::size_t>(i)] = before + (after - before) * share;
    }
    last = t;
  }
}

void settle_missing(std::vector<float>& values, const CaseRules& rules) {
  const bool any = std::any_of(values.begin(), values.end(), [](float v) { return std::isnan(v); });
  if (!any) return;
  if (!rules.interpolate) flaw("every value", "a missing one", "missing=interpolate fills it");
  interpolate(values);
}

// Appends a case whose dimensions have been read: each has T values.
void append(Cases& cases, const std::vector<std::vector<float>>& dims, const std::string& place) {
  const std::size_t length = dims[0].size();
  for (std::size_t t = 0; t < length; ++t) {
    for (const auto& values : dims) cases.values.push_back(values[t]);
  }
  cases.lengths.push_back(static_cast<std::int64_t>(length));
  cases.places.push_back(place);
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

// A .ts file: `@key value…` lines, `@data`, then a case a line.
class TsFile {
 public:
  TsFile(const fs::path& file, const CaseRules& rules, Skips& skips)
      : name_(file.string()), reader_(file), rules_(rules), skips_(skips) {
    cases_.dims = rules.dims;
  }

  Cases read() {
    read_header();
    for (std::string line; reader_.next(line);) {
      const std::string_view text = trimmed(line);
      if (text.empty() || text[0] == '#') continue;
      try {
        read_case(text);
      } catch (const Problem& problem) {
        leave_out(skips_, problem, place());
      }
    }
    return std::move(cases_);
  }

 private:
  enum class Target { none, label, value };

  std::string place() const { return fmt::format("{}:{}", name_, reader_.number()); }

  void read_header() {
    for (std::string line; reader_.next(line);) {
      const std::string_view text = trimmed(line);
      if (text.empty() || text[0] == '#') continue;
      if (text[0] != '@') {
        throw DataError({place(), "the header of a .ts file: lines that begin with @, the last of them @data",
                         quote(text), "for rows of label and values name the file .tsv"});
      }
      if (lower(text) == "@data") return;
      read_key(words(text));
    }
    throw DataError({name_, "a .ts file: a header and @data", "its end before @data", "fetch or copy the file again"});
  }

  void read_key(const std::vector<std::string_view>& parts) {
    const std::string key = lower(parts[0]), value = parts.size() > 1 ? lower(parts[1]) : "";
    if (key == "@timestamps" && value == "true") {
      throw DataError(
          {place(), "series without time stamps", "@timeStamps true", "write the values alone, evenly spaced"});
    }
    if (key == "@targetlabel" && value == "true") target_ = Target::value;
    if (key == "@classlabel" && value == "true") {
      target_ = Target::label;
      for (std::size_t i = 2; i < parts.size(); ++i) cases_.declared.push_back(label_name(parts[i]));
    }
    if (key == "@dimensions" || key == "@dimension") read_dims(parts);
  }

  void read_dims(const std::vector<std::string_view>& parts) {
    const auto dims = parts.size() > 1 ? parse_number(parts[1]) : std::nullopt;
    if (!dims || *dims < 1 || *dims > 1e6 || std::trunc(*dims) != *dims) {
      throw DataError({place(), "a number of dimensions", parts.size() > 1 ? quote(parts[1]) : "none", {}});
    }
    const auto count = static_cast<std::int64_t>(*dims);
    if (rules_.dims > 0 && count != rules_.dims) {
      throw DataError(
          {place(), fmt::format("{} dimensions", rules_.dims), fmt::format("{}", count), "these are other series"});
    }
    cases_.dims = count;
  }

  void read_case(std::string_view text) {
    auto parts = split(text, ':');
    const std::string_view label = trimmed(parts.back());
    if (target_ != Target::none) parts.pop_back();
    const auto dims = static_cast<std::int64_t>(parts.size());
    if (dims == 0) flaw("series, then \":\" and a label", "no \":\"");
    if (cases_.dims > 0 && dims != cases_.dims) {
      flaw(fmt::format("{} dimensions", cases_.dims), fmt::format("{}", dims));
    }
    const auto values = read_values(parts);
    read_target(label);  // before anything is kept
    cases_.dims = dims;
    append(cases_, values, place());
  }

  std::vector<std::vector<float>> read_values(const std::vector<std::string_view>& parts) const {
    std::vector<std::vector<float>> dims;
    for (const std::string_view part : parts) {
      auto& values = dims.emplace_back();
      if (!trimmed(part).empty()) {
        for (const std::string_view text : split(part, ',')) values.push_back(value_of(text));
      }
      if (values.empty() || values.size() != dims[0].size()) {
        flaw(values.empty() ? "values in every dimension" : fmt::format("{} values in every dimension", dims[0].size()),
             fmt::format("{} in dimension {}", values.size(), dims.size()));
      }
      settle_missing(values, rules_);
    }
    return dims;
  }

  void read_target(std::string_view text) {
    if (target_ == Target::none) return;
    if (text.empty()) flaw("a label at the end", "none");
    if (target_ == Target::label) {
      cases_.labels.push_back(label_name(text));
      return;
    }
    const float value = value_of(text);
    if (std::isnan(value)) flaw("a target at the end", quote(text));
    cases_.targets.push_back(value);
  }

  std::string name_;
  LineReader reader_;
  const CaseRules& rules_;
  Skips& skips_;
  Target target_ = Target::none;
  Cases cases_ = {};
};

// A row of label and values; missing ones at its end are behind the end of a shorter case.
void append_row(Cases& cases, std::string label, std::vector<float> values, const CaseRules& rules,
                const std::string& place) {
  while (!values.empty() && std::isnan(values.back())) values.pop_back();
  if (values.empty()) flaw("a label and values", "no values");
  settle_missing(values, rules);
  const bool labelled = !label.empty();
  if (cases.size() > 0 && labelled == cases.labels.empty()) {
    flaw(labelled ? "no label, as in the rows before" : "a label first, as in the rows before",
         labelled ? "one" : "none");
  }
  if (labelled) cases.labels.push_back(std::move(label));
  append(cases, {std::move(values)}, place);
}

void check_univariate(const fs::path& file, const CaseRules& rules) {
  if (rules.dims <= 1) return;
  throw DataError({file.string(), fmt::format("series of {} dimensions", rules.dims), "rows, which have one", {}});
}

// Parts between tabs, or between blanks, or between commas.
std::vector<std::string_view> row_parts(std::string_view text) {
  if (text.find('\t') != std::string_view::npos) return split(text, '\t');
  return text.find(',') != std::string_view::npos ? split(text, ',') : words(text);
}

Cases read_rows(const fs::path& file, const CaseRules& rules, Skips& skips) {
  check_univariate(file, rules);
  Cases cases;
  cases.dims = 1;
  LineReader reader(file);
  for (std::string line; reader.next(line);) {
    const std::string_view text = trimmed(line);
    if (text.empty()) continue;
    const std::string place = fmt::format("{}:{}", file.string(), reader.number());
    try {
      auto parts = row_parts(text);
      const bool labelled = static_cast<std::int64_t>(parts.size()) != rules.columns;
      std::string label = labelled ? label_name(parts[0]) : std::string();
      if (labelled && is_missing(label)) flaw("a label first", quote(parts[0]));
      std::vector<float> values;
      for (std::size_t i = labelled ? 1 : 0; i < parts.size(); ++i) values.push_back(value_of(parts[i]));
      append_row(cases, std::move(label), std::move(values), rules, place);
    } catch (const Problem& problem) {
      leave_out(skips, problem, place);
    }
  }
  return cases;
}

Cases read_array(const fs::path& file, const CaseRules& rules, Skips& skips) {
  check_univariate(file, rules);
  const at::Tensor table = read_npy(file);
  if (table.dim() != 2 || table.scalar_type() == at::kBool) {
    throw DataError({file.string(),
                     "an array (N, 1 + T) of numbers: a label and values a row",
                     shape_text(table.sizes().vec()),
                     {}});
  }
  Cases cases;
  cases.dims = 1;
  const bool labelled = table.size(1) != rules.columns;
  for (std::int64_t row = 0; row < table.size(0); ++row) {
    const std::string place = fmt::format("{}: row {}", file.string(), row);
    const at::Tensor own = table[row].to(at::kDouble).contiguous();
    const std::span<const double> numbers(own.const_data_ptr<double>(), static_cast<std::size_t>(own.numel()));
    try {
      std::vector<float> values;
      for (const double value : numbers.subspan(labelled && !numbers.empty() ? 1 : 0)) {
        if (std::isinf(value)) flaw("a number", "infinity");
        values.push_back(static_cast<float>(value));
      }
      if (labelled && !(numbers.size() > 0 && std::isfinite(numbers[0]))) flaw("a label first", "none");
      append_row(cases, labelled ? label_name(fmt::format("{}", numbers[0])) : "", std::move(values), rules, place);
    } catch (const Problem& problem) {
      leave_out(skips, problem, place);
    }
  }
  return cases;
}

}  // namespace

Cases read_cases(const fs::path& file, const CaseRules& rules, Skips& skips) {
  std::string name = lower(file.filename().string());
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  if (name.ends_with(".ts")) return TsFile(file, rules, skips).read();
  if (name.ends_with(".npy")) return read_array(file, rules, skips);
  if (name.ends_with(".tsv") || name.ends_with(".txt") || name.ends_with(".csv")) return read_rows(file, rules, skips);
  throw DataError({file.string(), "series in a .ts, .tsv, .txt, .csv or .npy file", "a file of another kind", {}});
}

}  // namespace vaetl::readers
