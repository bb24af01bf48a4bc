#include "vaetl/data/readers/series.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/series_table.hpp"
#include "vaetl/data/readers/windows.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;
using SeriesOptions = Series::Options;

struct Range {
  std::int64_t begin = 0, end = 0;
};

CsvOptions csv_options(const fs::path& file, const SeriesOptions& options) {
  CsvOptions result;
  const bool tab = options.delimiter == "tab" || options.delimiter == "\\t";
  result.delimiter = options.delimiter.empty() ? delimiter_of(file) : tab ? '\t' : options.delimiter[0];
  return result;
}

// The rows of training, validation and test.
std::array<Range, 3> divide(std::int64_t rows, const SeriesOptions& options, const std::string& where) {
  std::array<std::int64_t, 3> counts = {};
  if (!options.rows.empty()) {
    std::copy(options.rows.begin(), options.rows.end(), counts.begin());
    if (counts[0] + counts[1] + counts[2] > rows) {
      throw DataError({where,
                       fmt::format("{} rows, as the option `rows` has them", counts[0] + counts[1] + counts[2]),
                       fmt::format("{}", rows),
                       {}});
    }
  } else {
    auto share = [&](double of) { return std::llround(of * static_cast<double>(rows)); };
    counts[2] = options.test.empty() ? share(options.test_share) : 0;
    counts[1] = share(options.validation_share);
    counts[0] = rows - counts[1] - counts[2];
  }
  const std::int64_t first = counts[0], second = first + counts[1];
  return {Range{0, first}, Range{first, second}, Range{second, second + counts[2]}};
}

double training_share(const SeriesOptions& options, std::int64_t rows) {
  if (!options.rows.empty())
    return static_cast<double>(options.rows[0]) / static_cast<double>(std::max<std::int64_t>(rows, 1));
  return 1 - options.validation_share - (options.test.empty() ? options.test_share : 0);
}

// counts[r]: how many rows before r miss a value, or begin after a break.
std::vector<std::int64_t> running(const std::vector<char>& flags) {
  std::vector<std::int64_t> counts{0};
  for (const char flag : flags) counts.push_back(counts.back() + flag);
  return counts;
}

std::vector<char> missing_rows(const SeriesTable& table) {
  at::Tensor bad = table.inputs.isnan().any(1);
  if (table.targets.defined()) bad = bad.logical_or(table.targets.isnan().any(1));
  return {bad.const_data_ptr<bool>(), bad.const_data_ptr<bool>() + bad.numel()};
}

// Where windows may begin in each part.
class Starts {
 public:
  Starts(const SeriesTable& table, const SeriesOptions& options)
      : options_(options), missing_(running(missing_rows(table))), breaks_(running(table.breaks)) {}

  at::Tensor in(const Range& rows) {
    std::vector<std::int64_t> starts;
    const std::int64_t length = options_.window + options_.horizon;
    for (std::int64_t start = rows.begin; start + length <= rows.end; start += options_.stride) {
      const bool complete = at(missing_, start + length) == at(missing_, start);
      const bool whole = at(breaks_, start + length) == at(breaks_, start + 1);
      if (complete && whole) starts.push_back(start);
      if (!complete && left_out_++ == 0) first_ = start;
    }
    return at::tensor(starts, at::kLong);
  }

  // How many windows were left out for missing values; the first row that lacks one.
  std::int64_t left_out() const { return left_out_; }
  std::int64_t first_missing() const {
    std::int64_t row = first_;
    while (at(missing_, row + 1) == at(missing_, row)) ++row;
    return row;
  }

 private:
  static std::int64_t at(const std::vector<std::int64_t>& counts, std::int64_t row) {
    return counts[static_cast<std::size_t>(row)];
  }
  const SeriesOptions& options_;
  std::vector<std::int64_t> missing_, breaks_;
  std::int64_t left_out_ = 0, first_ = 0;
};

// One file, cut into its parts.
class Cut {
 public:
  Cut(const fs::path& file, const TextTable& table, const SeriesColumns& columns, const SeriesOptions& options,
      Flaws& flaws, Skips& skips)
      : file_(file), options_(options), table_(read_series(table, columns, options, flaws)), starts_(table_, options) {
    flaws.tell(skips);
  }

  std::int64_t rows() const { return table_.inputs.size(0); }

  // A part without rows is empty; one whose rows hold no window is an error.
  Dataset part(const Range& rows, DatasetInfo info, const std::string& split) {
    info.split = split;
    const at::Tensor starts = starts_.in(rows);
    if (starts.size(0) == 0 && rows.end > rows.begin) {
      throw DataError({file_.string(),
                       fmt::format("at least one {} window of {} complete rows (window and horizon)", split,
                                   options_.window + options_.horizon),
                       fmt::format("{} rows", rows.end - rows.begin), "use a shorter window or horizon, or `fill`"});
    }
    const at::Tensor targets = options_.horizon > 0 ? table_.targets : at::empty({0, 0});
    const Dataset data(
        std::make_shared<Windows>(table_.inputs, targets, starts, options_.window, options_.horizon, info));
    info = data.info();
    if (data.size() > 0) info.sha256 = data_sha256(data);
    return data.described(info);
  }

  void tell_left_out(Skips& skips) const {
    if (starts_.left_out() == 0) return;
    const auto line = table_.lines[static_cast<std::size_t>(starts_.first_missing())];
    skips.add({fmt::format("{}:{}", file_.string(), line), "a value in every column",
               fmt::format("a missing one, the first of those that {} windows were left out for", starts_.left_out()),
               "fill=N lets N rows take the last value before them"});
  }

 private:
  const fs::path& file_;
  const SeriesOptions& options_;
  SeriesTable table_;
  Starts starts_;
};

DatasetInfo info_of(const SeriesOptions& options, const SeriesColumns& columns, const Reading& reading) {
  DatasetInfo info = reading.about;
  info.classes.clear();
  const std::int64_t length = options.window + options.horizon;
  info.overlap = (length + options.stride - 1) / options.stride - 1;
  SeriesOptions learnt = options;
  learnt.columns = ColumnRefs::of_names(columns.inputs);
  learnt.target = ColumnRefs::of_names(columns.targets);
  if (!columns.time.empty()) learnt.time = ColumnRefs::of_names({columns.time});
  info.reader = Json{{"name", Series::name}};
  info.reader.update(to_json(learnt));
  for (const char* key : {"test", "test_share", "validation_share", "rows"}) info.reader.erase(key);
  info.preprocess = Json::array({{{"name", "standardise_series"}}});
  if (options.horizon > 0) info.preprocess.push_back({{"name", "standardise"}, {"field", "target"}});
  return info;
}

}  // namespace

void SeriesOptions::validate() const {
  if (!rows.empty() && rows.size() != 3) {
    throw ConfigError(
        {"series.rows", "three numbers: of training, validation and test", fmt::format("{}", rows.size()), {}});
  }
  if (validation_share + (test.empty() ? test_share : 0) >= 1) {
    throw ConfigError(
        {"series", "shares that leave rows for training", fmt::format("{} and {}", validation_share, test_share), {}});
  }
}

std::unique_ptr<FurtherStream> Series::further(const Place& place) const {
  SeriesOptions options = options_;
  options.horizon = 0;
  options.target = {};
  const CsvOptions format = csv_options(place.path, options);
  Flaws flaws(place.name());
  const TextTable table(
      place.name(),
      place.descriptor < 0 ? CsvReader(place.path, format) : CsvReader(place.descriptor, place.name(), format),
      options.header, flaws);
  const SeriesTable values = read_series(table, learn_columns(table, options, 1), options, flaws);
  std::vector<Problem> left_out;
  const Reading reading{.skipped = [&](const Problem& problem) { left_out.push_back(problem); }};
  Skips skips(reading);
  flaws.tell(skips);
  const at::Tensor starts = Starts(values, options).in({0, values.inputs.size(0)});
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < starts.size(0); ++i) {
    const std::int64_t last = starts[i].item<std::int64_t>() + options.window - 1;
    names.push_back(place.row_name(values.lines[static_cast<std::size_t>(last)]));
  }
  skips.check_left(std::ssize(names), fmt::format("{}: windows of {} complete rows", place.name(), options.window));
  const Dataset windows(
      std::make_shared<Windows>(values.inputs, at::empty({0, 0}), starts, options.window, 0, DatasetInfo{}));
  return further_of(windows, place, std::move(names), std::move(left_out));
}

Splits Series::open(const fs::path& path, const Reading& reading) const {
  Skips skips(reading);
  Flaws flaws(path);
  const TextTable table(path, csv_options(path, options_), options_.header, flaws);
  const SeriesColumns columns = learn_columns(table, options_, training_share(options_, table.rows()));
  const DatasetInfo info = info_of(options_, columns, reading);
  Cut cut(path, table, columns, options_, flaws, skips);
  const auto ranges = divide(cut.rows(), options_, path.string());
  const Dataset train = cut.part(ranges[0], info, "train"), validation = cut.part(ranges[1], info, "validation");
  const Dataset held = cut.part(ranges[2], info, "test");
  cut.tell_left_out(skips);
  if (options_.test.empty()) return {train, validation, held};
  const fs::path file = path.parent_path() / options_.test;
  Flaws others(file);
  const TextTable rest(file, csv_options(file, options_), options_.header, others);
  Cut whole(file, rest, columns, options_, others, skips);
  const Dataset test = whole.part({0, whole.rows()}, info, "test");
  whole.tell_left_out(skips);
  return {train, validation, test};
}

}  // namespace vaetl::readers
