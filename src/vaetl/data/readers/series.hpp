// Long series: a table with one row a moment, cut into windows.
//   series:ETTh1.csv?window=96&horizon=24&target=OT        series:sunspots.csv?window=120&horizon=12&stride=12
// `input` (N, T, F) float32: T rows of the F columns. `target` (N, O), O = H·F′, float32: the H rows that follow, of
// the F′ target columns, row by row (o = h·F′ + f); none where H is 0.
//
// The rows are divided in order: training, validation, test. The windows of a part, targets included, lie wholly within
// its rows, so that parts share no row. Values are missing where they are empty, "NA" and the like, or no number (which
// is told): `fill` rows in succession take the last value before them, and windows that still miss one are left out, as
// are those that would span a line that cannot be read. A row whose time is not after that of the row before is left
// out; times are compared where they are numbers or begin with the year, as in 2016-07-01 or 2016/07.
#pragma once
#include "vaetl/data/further.hpp"
#include "vaetl/data/readers/table_columns.hpp"

namespace vaetl::readers {

class Series final : public Reader, public ReadsFurther {
 public:
  static constexpr const char* name = "series";
  struct Options {
    std::int64_t window = 24, horizon = 1, stride = 1, fill = 0;
    ColumnRefs columns = {}, target = {}, time = {};
    std::optional<bool> header = {};
    std::string delimiter = {};
    std::vector<std::string> missing = {"", "?", "NA", "N/A", "NaN", "nan", "null"};
    std::string test = {};
    double test_share = 0.2, validation_share = 0;
    std::vector<std::int64_t> rows = {};

    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          field("window", &O::window, "T: rows of an example", between(1, 1e6)),
          field("horizon", &O::horizon, "H: rows to predict; 0: none", between(0, 1e6)),
          field("stride", &O::stride, "rows from one example to the next", between(1, 1e9)),
          field("fill", &O::fill, "missing rows in succession that take the last value before them", between(0, 1e9)),
          field("columns", &O::columns, "columns of the input; none: all that hold numbers, but the time"),
          field("target", &O::target, "columns to predict; none: those of the input"),
          field("time", &O::time, "column of the time; none: one of that name, or the first if it holds no numbers"),
          field("header", &O::header, "whether the first line names the columns; absent: found out"),
          field("delimiter", &O::delimiter, "between values: one character or tab; empty: by the file's name"),
          field("missing", &O::missing, "texts that stand for a missing value"),
          field("test", &O::test, "file of the test split, beside the file"),
          field("test_share", &O::test_share, "share of the rows, the last ones, for test, where `test` is not given",
                between(0, 0.9)),
          field("validation_share", &O::validation_share, "share of the rows before them", between(0, 0.9)),
          field("rows", &O::rows, "rows for training, validation and test instead of shares", at_least(0))};
    }
    void validate() const;
  };
  explicit Series(Options options) : options_(std::move(options)) { options_.validate(); }
  Splits open(const std::filesystem::path& path, const Reading& reading) const override;
  std::unique_ptr<FurtherStream> further(const Place& place) const override;  // windows by the line of their last row

 private:
  Options options_;
};

}  // namespace vaetl::readers
