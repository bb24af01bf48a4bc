// What data hold, for people: counts, ranges, classes, statistics, a few examples. The examples are read once, part by
// part: memory stays bounded whatever the size.
//
//   const auto summary = data::summarise(data::open("mnist").train);
//   fmt::print("{} examples, mean {:.3f}\n", summary.examples, summary.columns[0].mean);
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vaetl/data/dataset.hpp"

namespace vaetl::data {

// What `input` is: (C, H, W) uint8; (F) float or double; int32 token ids; (T, F) float; (S) int16; anything else.
enum class Form { pictures, table, tokens, series, sound, values };
Form form_of(const DatasetInfo& info);
const char* text_of(Form form);

// A channel of pictures, a column of a table, a value of series, the samples of sounds. What stands behind the `length`
// of an example is not counted.
struct ColumnSummary {
  std::string name = {};
  std::int64_t count = 0, missing = 0;  // finite values; NaN, of a categorical column those without a category
  double mean = 0, low = 0, high = 0;   // of the finite ones
  double squares = 0;                   // Σ (value − mean)²
  std::int64_t categories = 0;          // of a categorical column: it has no mean; 0: the column holds numbers
  std::int64_t unknown = 0;             // texts that the training data lack
  std::string most = {};                // the category that occurs most often
  std::int64_t most_count = 0;
  double std() const;  // population: over all values that there are
  bool constant() const;
};

struct FieldSummary {
  FieldInfo info = {};
  double low = 0, high = 0;  // found
  std::int64_t missing = 0;  // NaN
  std::int64_t infinite = 0;
};

struct Lengths {
  std::int64_t low = 0, median = 0, high = 0;
};

struct SplitSummary {
  std::string name = {}, sha256 = {};
  std::int64_t examples = 0;
  std::map<std::string, FieldSummary> fields = {};
  std::vector<std::int64_t> classes = {};  // examples of each label; empty: no labels
  std::vector<ColumnSummary> columns = {};
  std::optional<Lengths> lengths = {};  // of the field `length`
  std::int64_t constant = 0;            // pictures of one colour
  std::vector<std::string> shown = {};  // the first examples as text, of tables and tokens that have a vocabulary
  Json json(const std::vector<std::string>& class_names) const;
};

SplitSummary summarise(const Dataset& data);

// The number of token ids, or nothing where the input is not token ids.
std::optional<std::int64_t> vocabulary_size(const DatasetInfo& info);

}  // namespace vaetl::data
