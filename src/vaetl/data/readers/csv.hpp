// Tables: CSV, TSV and their like, one row an example.
//   csv:train.csv?target=income&test=test.csv      csv:wine.csv?target=-1&test_share=0.25
// `input` (N, F) float32 holds the columns that are neither target nor ignored, in the order of the file: numbers, NaN
// where missing; for a categorical column the position of its text among the training data's, −1 where missing, −2
// where those have no such text (as columns that the transform `columns`, which is recommended for training, encodes an
// unknown text as all zeros). `target` is int64 labels (N), or float32 values (N, O) for regression, which it is where
// several columns are targets, or where the one has numbers with a fraction or more than 20 different ones. What
// columns hold is learnt from the training rows alone: numbers, where at most a slip in a hundred is none. Further
// files are read alike: with a header by name, in any order and among others, without one by position, as the training
// data were; they may lack the target.
// `weight` (N) float32 where a column is named that holds what each row counts for: numbers of at least 0, no input.
// Files that lack it have no weights. DataError where all rows for training weigh 0.
//
// Left out, with line and reason: rows of another width, with a quote that is never closed, without target, with a text
// in a numeric column, with a label that the training data lack, with a weight that is none.
#pragma once
#include "vaetl/data/further.hpp"
#include "vaetl/data/readers/table_columns.hpp"

namespace vaetl::readers {

class Csv final : public Reader, public ReadsFurther {
 public:
  static constexpr const char* name = "csv";
  struct Options {
    ColumnRefs target = {}, weight = {}, ignore = {}, numeric = {}, categorical = {};
    std::optional<bool> header = {};
    std::string task = "auto", strip = {};
    std::vector<std::string> classes = {}, missing = {"", "?", "NA", "N/A", "NaN", "nan", "null"};
    std::string delimiter = {}, quote = "\"", encoding = "utf-8";
    std::string test = {}, validation = {};
    double test_share = 0;
    std::int64_t width = 0;
    std::vector<Column> columns = {};

    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          field("target", &O::target, "column of the labels or values, by name or position (-1: the last); or several"),
          field("weight", &O::weight, "column of what each row counts for, numbers of at least 0; no input"),
          field("ignore", &O::ignore, "columns that are no input"),
          field("numeric", &O::numeric, "columns of numbers; others are found out"),
          field("categorical", &O::categorical, "columns of texts, even where these are numbers"),
          field("header", &O::header, "whether the first line names the columns; absent: found out"),
          choice("task", &O::task, "what the target holds", {"auto", "classes", "values"}),
          field("strip", &O::strip, "taken off the end of every label"),
          field("classes", &O::classes, "labels in the order of the classes; empty: those found, sorted"),
          field("missing", &O::missing, "texts that stand for a missing value"),
          field("delimiter", &O::delimiter,
                "between values: one character, tab or space (any blanks); empty: by the "
                "file's name, a comma or a tab"),
          field("quote", &O::quote, "around values that hold delimiters; empty: none"),
          choice("encoding", &O::encoding, "of the text", {"utf-8", "latin-1"}),
          field("test", &O::test, "file of the test split, beside the file"),
          field("validation", &O::validation, "file of the validation split, beside the file"),
          field("test_share", &O::test_share, "share of the rows to hold out as test split", between(0, 0.99)),
          field("width", &O::width, "values in a row of the training data; found out", at_least(0)),
          field("columns", &O::columns, "what the columns hold; learnt")};
    }
    void validate() const;
  };
  explicit Csv(Options options) : options_(std::move(options)) { options_.validate(); }
  Splits open(const std::filesystem::path& path, const Reading& reading) const override;
  std::unique_ptr<FurtherStream> further(const Place& place) const override;  // numbered rows

 private:
  Options options_;
};

}  // namespace vaetl::readers
