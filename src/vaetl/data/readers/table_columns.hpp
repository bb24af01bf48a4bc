// The columns of a table: what they hold, learnt from the rows for training, and rows as numbers by it.
#pragma once
#include <string>
#include <vector>

#include "vaetl/core/config.hpp"
#include "vaetl/data/readers/text_table.hpp"

namespace vaetl::readers {

// A column that is an input.
struct Column {
  std::string name = {}, kind = "numeric";
  std::vector<std::string> categories = {};
  static constexpr auto fields() {
    return std::tuple{
        field("name", &Column::name, "in the header, or its position from 0"),
        choice("kind", &Column::kind, "what it holds", {"numeric", "categorical"}),
        field("categories", &Column::categories, "texts of a categorical one, in the order of the codes")};
  }
};

// Columns by name, or by position as in Python: −1 is the last. JSON: a text, a number, or an array of those; "" and []
// are none.
struct ColumnRefs {
  Json list = {};
  bool empty() const { return list.empty(); }
  // Positions in the table, each once, in the order given. ConfigError for a column that it lacks; `key` is the option.
  std::vector<std::int64_t> resolve(const TextTable& table, const std::string& key) const;
  static ColumnRefs of_names(const std::vector<std::string>& names);
};

using Rows = std::vector<std::int64_t>;

// What stands for a missing value, looked up often.
class MissingTexts {
 public:
  explicit MissingTexts(const std::vector<std::string>& texts) : texts_(texts) {}
  bool operator()(std::string_view text) const;

 private:
  const std::vector<std::string>& texts_;
};

constexpr std::int64_t most_categories = 10000;  // of one column, and classes: more are names or numbers of examples
constexpr float missing_code = -1, unknown_code = -2;

// Distinct texts of a column over those rows, in order: by number where all are numbers. DataError beyond
// most_categories.
std::vector<std::string> distinct_texts(const TextTable& table, std::int64_t column, const Rows& rows,
                                        const MissingTexts& missing);
bool all_numbers(const TextTable& table, std::int64_t column, const Rows& rows, const MissingTexts& missing);
// All but a slip of the pen: one text among 20 numbers or more, or one in a hundred.
bool mostly_numbers(const TextTable& table, std::int64_t column, const Rows& rows, const MissingTexts& missing);
void sort_texts(std::vector<std::string>& texts);

// Whether a numeric column that holds mostly texts is an error of the whole, or of each row.
enum class Judge { the_whole, each_row };

// (N, columns) float32: numbers, NaN where missing; the code of a category, −1 where missing, −2 for one that is not
// listed. Rows with a value that is no number in a numeric column go to `flaws` and leave `rows`. DataError for a
// column that the table lacks.
at::Tensor encode_columns(const TextTable& table, const std::vector<Column>& columns, const MissingTexts& missing,
                          Rows& rows, Flaws& flaws, Judge judge = Judge::the_whole);

}  // namespace vaetl::readers

namespace vaetl {
template <>
struct Codec<readers::ColumnRefs> {
  static void read(const Json&, const std::string& path, readers::ColumnRefs& value, const Rule& rule);
  static Json write(const readers::ColumnRefs& value) { return value.list; }
  static Json schema(const Rule& rule);
};
}  // namespace vaetl
