#include "vaetl/data/readers/csv.hpp"

#include <ATen/ATen.h>

#include <numeric>
#include <set>

#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/csv_fitted.hpp"
#include "vaetl/data/readers/text_values.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;
using TableOptions = Csv::Options;

constexpr std::size_t most_label_numbers = 20;  // with more different numbers a target is a quantity

// A file with the rows of it that are of use.
struct TablePart {
  TablePart(const fs::path& file, const TableOptions& options)
      : flaws(file), table(file, table_options(options, file), options.header, flaws) {
    rows.resize(static_cast<std::size_t>(table.rows()));
    std::iota(rows.begin(), rows.end(), 0);
  }
  Flaws flaws;
  TextTable table;
  Rows rows;
};

std::vector<std::string> names_at(const TextTable& table, const std::vector<std::int64_t>& positions) {
  std::vector<std::string> names;
  for (const auto position : positions) names.push_back(table.names()[static_cast<std::size_t>(position)]);
  return names;
}

bool are_values(const TextTable& table, const std::vector<std::int64_t>& targets, const Rows& rows,
                const MissingTexts& missing) {
  if (targets.size() > 1) return true;
  if (!all_numbers(table, targets[0], rows, missing)) return false;
  std::set<double> distinct;
  for (const auto row : rows) {
    const auto number = parse_number(table.at(row, targets[0]));
    if (!number) continue;
    distinct.insert(*number);
    if (*number != std::floor(*number) || distinct.size() > most_label_numbers) return true;
  }
  return false;
}

void name_columns(ColumnRefs& refs, const TextTable& table, const char* key, bool settled) {
  const bool positions =
      std::any_of(refs.list.begin(), refs.list.end(), [](const Json& ref) { return ref.is_number(); });
  if (!settled || positions) refs = ColumnRefs::of_names(names_at(table, refs.resolve(table, key)));
}

// `learns`: of the files that are trained on, which must have the column; so must those for which another is named.
void settle_weight(TableOptions& options, const TextTable& table, bool learns, const Json& fitted) {
  if (options.weight.empty()) return;
  const bool learnt = !learns && (!fitted.is_object() || fitted.value("weight", Json()) == options.weight.list);
  name_columns(options.weight, table, "weight", learnt);
  const Json &names = options.weight.list, &targets = options.target.list;
  if (names.size() > 1) throw ConfigError({"weight", "one column of weights", std::to_string(names.size()), {}});
  if (std::find(targets.begin(), targets.end(), names[0]) == targets.end()) return;
  throw ConfigError({"weight", "a column that is no target", names[0].dump(), {}});
}

// What the table says of itself before any row counts as training data: header, width, names of targets, task. Of a
// fitted reader only what is still open.
void settle(TableOptions& options, const TablePart& part, const Json& fitted) {
  const bool learns = options.columns.empty();
  options.header = part.table.header();
  if (learns) options.width = part.table.width();
  name_columns(options.target, part.table, "target", /*settled=*/!learns);
  settle_weight(options, part.table, learns, fitted);
  const auto targets = targets_in(part.table, options);
  if (targets.size() > 1 && options.task == "classes") {
    throw ConfigError({"target", "one column of labels", fmt::format("{}", targets.size()), "set task=values"});
  }
  if (targets.empty() || options.task != "auto") return;
  const bool values =
      options.classes.empty() && are_values(part.table, targets, part.rows, MissingTexts(options.missing));
  options.task = values ? "values" : "classes";
}

// A file without the line of names that the training data had is refused by its first row, before this is taken for
// names.
void require_names(const fs::path& file, const TableOptions& fitted) {
  if (fitted.columns.empty() || fitted.header != true) return;
  CsvReader reader(file, table_options(fitted, file));
  CsvRow row;
  if (reader.next(row) && row.flaw.empty()) check_names(row, fitted, file.string());  // a flaw is told when all is read
}

void align(TextTable& table, const TableOptions& fitted) {
  if (!table.header() && fitted.width > 0)
    table.rename(names_by_position(table.width(), fitted, table.file().string()));
}

TablePart read_part(const fs::path& file, const TableOptions& fitted, const Reading& reading) {
  require_names(file, fitted);
  TablePart part(file, fitted);
  align(part.table, fitted);
  if (const auto names = names_in_first_row(part.table, fitted)) {
    part.rows.erase(part.rows.begin());
    if (reading.skipped) reading.skipped(*names);
  }
  return part;
}

// Leaves the rows whose targets can be read; with the classes known, labels of those alone.
void keep_targets(TablePart& part, const TableOptions& fitted) {
  const auto targets = targets_in(part.table, fitted);
  const MissingTexts missing(fitted.missing);
  const Labels labels(fitted.classes);
  const bool values = fitted.task == "values";
  std::erase_if(part.rows, [&](std::int64_t row) {
    for (const auto column : targets) {
      const std::string_view text = part.table.at(row, column);
      const std::string name = quote(part.table.names()[static_cast<std::size_t>(column)]);
      auto flaw = [&](const std::string& expected, const std::string& found) {
        part.flaws.add(part.table.line(row), expected, found);
        return true;
      };
      if (missing(text)) return flaw("a value in the target column " + name, "none");
      if (values && !parse_number(text)) return flaw("a number in the target column " + name, quote(text));
      if (!values && !fitted.classes.empty() && !labels.find(std::string(label_text(text, fitted)))) {
        return flaw("a label of the training data in column " + name, quote(text));
      }
    }
    return false;
  });
}

// Leaves the rows whose weight can be read.
void keep_weights(TablePart& part, const TableOptions& fitted) {
  const auto column = weight_in(part.table, fitted);
  if (!column) return;
  const std::string expected =
      fmt::format("a weight of at least 0 in column {}", quote(part.table.names()[static_cast<std::size_t>(*column)]));
  std::erase_if(part.rows, [&](std::int64_t row) {
    const std::string_view text = part.table.at(row, *column);
    const auto number = parse_number(text);
    if (number && *number >= 0) return false;
    part.flaws.add(part.table.line(row), expected, text.empty() ? "none" : quote(text));
    return true;
  });
}

std::vector<std::string> distinct_labels(const TextTable& table, std::int64_t target, const Rows& rows,
                                         const TableOptions& options) {
  std::set<std::string> distinct;
  for (const auto& text : distinct_texts(table, target, rows, MissingTexts(options.missing))) {
    distinct.emplace(label_text(text, options));
  }
  std::vector<std::string> labels(distinct.begin(), distinct.end());
  sort_texts(labels);
  return labels;
}

at::Tensor read_labels(const TextTable& table, std::int64_t target, const Rows& rows, const TableOptions& fitted) {
  const Labels labels(fitted.classes);
  std::vector<std::int64_t> result;
  result.reserve(rows.size());
  for (const auto row : rows)
    result.push_back(labels.find(std::string(label_text(table.at(row, target), fitted))).value());
  return at::tensor(result, at::kLong);
}

at::Tensor read_values(const TextTable& table, const std::vector<std::int64_t>& targets, const Rows& rows) {
  std::vector<float> result;
  result.reserve(rows.size() * targets.size());
  for (const auto row : rows) {
    for (const auto column : targets) result.push_back(static_cast<float>(*parse_number(table.at(row, column))));
  }
  return at::tensor(result, at::kFloat).view({-1, static_cast<std::int64_t>(targets.size())});
}

struct TwoParts {
  Rows train = {}, test = {};
};

Rows chosen(const Rows& rows, const Dataset& positions) {
  const at::Tensor column = positions.column("input").contiguous();
  Rows result;
  for (const auto i : std::span(column.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(column.numel()))) {
    result.push_back(rows[static_cast<std::size_t>(i)]);
  }
  return result;
}

// The rows for training and for the test, held out as everywhere before anything is learnt.
TwoParts split_rows(const TablePart& part, TableOptions options) {
  if (options.test_share == 0 || part.rows.empty()) return {part.rows, {}};
  Fields fields;
  fields.set("input", at::arange(static_cast<std::int64_t>(part.rows.size()), at::kLong));
  const auto targets = targets_in(part.table, options);
  if (!targets.empty() && options.task == "classes") {
    if (options.classes.empty()) options.classes = distinct_labels(part.table, targets[0], part.rows, options);
    fields.set("target", read_labels(part.table, targets[0], part.rows, options));
  }
  const Splits splits =
      split_off(Dataset::from_tensors(fields, {.name = part.table.file().string(), .classes = options.classes}),
                options.test_share);
  return {chosen(part.rows, splits.train), chosen(part.rows, splits.test)};
}

// What the columns hold, from the rows for training.
void learn_columns(TableOptions& options, const TextTable& table, const Rows& rows) {
  const MissingTexts missing(options.missing);
  const auto numeric = options.numeric.resolve(table, "numeric"),
             categorical = options.categorical.resolve(table, "categorical"),
             ignored = options.ignore.resolve(table, "ignore"), targets = targets_in(table, options);
  const auto weight = weight_in(table, options);
  auto among = [](const std::vector<std::int64_t>& list, std::int64_t c) {
    return std::find(list.begin(), list.end(), c) != list.end();
  };
  for (std::int64_t c = 0; c < table.width(); ++c) {
    if (among(ignored, c) || among(targets, c) || c == weight) continue;
    Column column{.name = table.names()[static_cast<std::size_t>(c)]};
    if (among(numeric, c) && among(categorical, c)) {
      throw ConfigError({"numeric, categorical", "a column in one of them", quote(column.name) + " in both", {}});
    }
    const bool numbers = among(numeric, c) || (!among(categorical, c) && mostly_numbers(table, c, rows, missing));
    if (!numbers) column = {column.name, "categorical", distinct_texts(table, c, rows, missing)};
    options.columns.push_back(std::move(column));
  }
  if (!options.columns.empty()) return;
  throw DataError({table.file().string(), "a column besides the target", "none", "check the delimiter"});
}

void learn(TableOptions& options, const TextTable& table, const Rows& rows) {
  if (rows.empty()) return;  // told by whoever asks for examples
  if (options.columns.empty()) learn_columns(options, table, rows);
  const auto targets = targets_in(table, options);
  if (targets.empty() || options.task != "classes" || !options.classes.empty()) return;
  options.classes = distinct_labels(table, targets[0], rows, options);
}

Fields encode(TablePart& part, Rows rows, const TableOptions& fitted) {
  Fields fields;
  fields.set("input", encode_columns(part.table, fitted.columns, MissingTexts(fitted.missing), rows, part.flaws));
  if (const auto weight = weight_in(part.table, fitted)) {
    fields.set("weight", read_values(part.table, {*weight}, rows).squeeze(1));
  }
  const auto targets = targets_in(part.table, fitted);
  if (targets.empty()) return fields;
  const bool values = fitted.task == "values";
  fields.set("target",
             values ? read_values(part.table, targets, rows) : read_labels(part.table, targets[0], rows, fitted));
  return fields;
}

Dataset read_other(const fs::path& file, const TableOptions& fitted, const DatasetInfo& info, const std::string& split,
                   const Reading& reading, Skips& skips) {
  TablePart part = read_part(file, fitted, reading);
  keep_targets(part, fitted);
  keep_weights(part, fitted);
  Fields fields = encode(part, part.rows, fitted);
  part.flaws.tell(skips);
  skips.check_left(fields.size(), file.string());
  return make_split(std::move(fields), info, split);
}

DatasetInfo describe(const Reading& reading, const TableOptions& fitted) {
  DatasetInfo info = reading.about;
  if (info.classes.size() != fitted.classes.size()) info.classes = fitted.classes;
  info.reader = {{"name", Csv::name}};
  info.reader.update(to_json(fitted));
  for (const char* key : {"test", "validation", "test_share", "ignore", "numeric", "categorical"}) {
    info.reader.erase(key);
  }
  info.preprocess = Json::array({{{"name", "columns"}}});
  if (fitted.task == "values") info.preprocess.push_back({{"name", "standardise"}, {"field", "target"}});
  return info;
}

}  // namespace

void Csv::Options::validate() const {
  auto refuse = [](const char* key, const char* expected, const std::string& found) {
    throw ConfigError({std::string("csv.") + key, expected, found, {}});
  };
  if (!delimiter.empty() && !delimiter_from(delimiter)) {
    refuse("delimiter", "one character that is no part of a value, tab or space", vaetl::quote(delimiter));
  }
  if (quote.size() > 1 || quote == delimiter) {
    if (!quote.empty()) refuse("quote", "one character other than the delimiter, or none", vaetl::quote(quote));
  }
  if (!test.empty() && test_share > 0) refuse("test_share", "0 beside a test file", fmt::format("{}", test_share));
}

std::unique_ptr<FurtherStream> Csv::further(const Place& place) const { return further_rows(place, options_); }

Splits Csv::open(const fs::path& path, const Reading& reading) const {
  Skips skips(reading);
  TableOptions fitted = options_;
  TablePart part = read_part(path, fitted, reading);
  settle(fitted, part, reading.fitted);
  keep_targets(part, fitted);
  keep_weights(part, fitted);
  const TwoParts rows = split_rows(part, fitted);
  learn(fitted, part.table, rows.train);
  Fields train = encode(part, rows.train, fitted), test = encode(part, rows.test, fitted);
  part.flaws.tell(skips);
  skips.check_left(train.size(), path.string());
  const DatasetInfo info = describe(reading, fitted);
  const Dataset training = make_split(std::move(train), info, "train");
  auto other = [&](const std::string& file, const std::string& split) {
    return file.empty() ? none_of(training, split)
                        : read_other(path.parent_path() / file, fitted, info, split, reading, skips);
  };
  Dataset validation = other(fitted.validation, "validation");
  return {training, std::move(validation),
          rows.test.empty() ? other(fitted.test, "test") : make_split(std::move(test), info, "test")};
}

}  // namespace vaetl::readers
