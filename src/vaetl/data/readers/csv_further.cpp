#include <ATen/ATen.h>

#include <numeric>

#include "vaetl/data/readers/csv_fitted.hpp"

namespace vaetl::readers {
namespace {

CsvReader open_table(const Place& place, const Csv::Options& fitted) {
  const CsvOptions options = table_options(fitted, place.path);
  return place.descriptor < 0 ? CsvReader(place.path, options) : CsvReader(place.descriptor, place.name(), options);
}

class FurtherRows final : public FurtherStream {
 public:
  FurtherRows(Place place, const Csv::Options& fitted)
      : place_(std::move(place)), fitted_(fitted), reader_(open_table(place_, fitted)) {
    read_names();
  }

  bool next(std::int64_t count, FurtherExamples& examples) override {
    examples = {};
    const bool first = number_ == 0;
    std::vector<CsvRow> rows = take(first ? std::max<std::int64_t>(count, 2) : count);
    if (rows.empty()) return false;
    Flaws flaws(place_.name());
    const TextTable table(place_.name(), names_, rows, flaws, fitted_.header.value_or(false));
    Rows kept(static_cast<std::size_t>(table.rows()));
    std::iota(kept.begin(), kept.end(), 0);
    if (first) pass_names_over(table, kept, examples);
    const at::Tensor input =
        encode_columns(table, fitted_.columns, MissingTexts(fitted_.missing), kept, flaws, Judge::each_row);
    const auto told = [&](const Problem& problem) { examples.problems.push_back(problem); };
    const Reading reading{.skipped = told};
    Skips skips(reading);
    flaws.tell(skips);
    name_rows(table, rows, kept, examples);
    if (!kept.empty()) examples.fields.set("input", input);
    number_ += std::ssize(rows);
    return true;
  }

 private:
  // Of the header, or by position, which the first whole row tells.
  void read_names() {
    CsvRow first;
    do {
      if (!reader_.next(first)) throw DataError({place_.name(), "rows of a table", "none", "check the path"});
      if (fitted_.header == true && !first.flaw.empty()) {
        throw DataError({fmt::format("{}:{}", place_.name(), first.line), "a header", first.flaw, {}});
      }
      if (fitted_.header != true) ahead_.push_back(first);
    } while (!first.flaw.empty());
    if (fitted_.header == true) check_names(first, fitted_, place_.name());
    names_ =
        fitted_.header == true ? first.values : names_by_position(std::ssize(first.values), fitted_, place_.name());
    check_columns();
  }

  // A column that the file lacks is told before any row is read.
  void check_columns() const {
    Flaws none(place_.name());
    Rows no_rows;
    const TextTable table(place_.name(), names_, {}, none, fitted_.header.value_or(false));
    encode_columns(table, fitted_.columns, MissingTexts(fitted_.missing), no_rows, none, Judge::each_row);
  }

  std::vector<CsvRow> take(std::int64_t count) {
    std::vector<CsvRow> rows = std::exchange(ahead_, {});
    for (CsvRow row; std::ssize(rows) < count && reader_.next(row);) rows.push_back(std::move(row));
    return rows;
  }

  void pass_names_over(const TextTable& table, Rows& kept, FurtherExamples& examples) {
    const auto names = names_in_first_row(table, fitted_);
    if (!names) return;
    examples.notes.push_back(*names);
    kept.erase(kept.begin());
    --number_;
  }

  // The table lacks rows with flaws: a row is known by its line.
  void name_rows(const TextTable& table, const std::vector<CsvRow>& rows, const Rows& kept,
                 FurtherExamples& examples) const {
    std::size_t at = 0;
    for (const std::int64_t row : kept) {
      while (rows[at].line != table.line(row)) ++at;
      examples.names.push_back(place_.row_name(number_ + static_cast<std::int64_t>(at) + 1));
    }
  }

  Place place_;
  Csv::Options fitted_;
  CsvReader reader_;
  std::vector<std::string> names_;
  std::vector<CsvRow> ahead_;
  std::int64_t number_ = 0;  // rows read so far
};

}  // namespace

std::unique_ptr<FurtherStream> further_rows(const Place& place, const Csv::Options& fitted) {
  return std::make_unique<FurtherRows>(place, fitted);
}

}  // namespace vaetl::readers
