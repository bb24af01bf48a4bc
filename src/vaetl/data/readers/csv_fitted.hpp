// Tables as the options of the reader csv have them once what there is to learn was learnt: what its datasets and its
// further rows have in common.
#pragma once
#include "vaetl/data/further.hpp"
#include "vaetl/data/readers/csv.hpp"

namespace vaetl::readers {

// The character that a text names as delimiter; nothing where it names none.
std::optional<char> delimiter_from(const std::string& text);
CsvOptions table_options(const Csv::Options& options, const std::filesystem::path& file);

// Where the targets stand; nowhere in a file that lacks one.
std::vector<std::int64_t> targets_in(const TextTable& table, const Csv::Options& fitted);

// Where the weights stand; nowhere in a file that lacks them.
std::optional<std::int64_t> weight_in(const TextTable& table, const Csv::Options& fitted);

// A label as it is written, without what `strip` takes off.
std::string_view label_text(std::string_view text, const Csv::Options& options);

// The names of a file without a header, whose rows have `width` values: it is read by position and has the width of the
// training data, or lacks the weights, or these and the targets. DataError, beginning with `where`, for another width.
std::vector<std::string> names_by_position(std::int64_t width, const Csv::Options& fitted, const std::string& where);

// DataError where columns are found by the names in the first line, as the training data had one, and `first`, the
// first row of `where`, has none of them.
void check_names(const CsvRow& first, const Csv::Options& fitted, const std::string& where);

// Whether the first row of a file that is read by position, as the training data had no names, is names of columns and
// no example; then what to tell.
std::optional<Problem> names_in_first_row(const TextTable& table, const Csv::Options& fitted);

// Further rows by fitted options. Rows are counted without the line of names.
std::unique_ptr<FurtherStream> further_rows(const Place& place, const Csv::Options& fitted);

}  // namespace vaetl::readers
