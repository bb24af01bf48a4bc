// The parts of data::check(): each appends what it finds.
#pragma once
#include "vaetl/data/check.hpp"

namespace vaetl::data {

using Findings = std::vector<Finding>;
// Those splits that have examples; `names` of the same length.
struct CheckedSplits {
  std::vector<Dataset> data = {};
  std::vector<std::string> names = {};
};

// Values that are missing, not finite or outside their declared range, and the examples that have them.
void check_rows(const CheckedSplits& splits, Findings& findings);
// Columns, pictures and labels, by one summary a split.
void check_values(const CheckedSplits& splits, Findings& findings);
// Equal and nearly equal examples.
void check_equal(const CheckedSplits& splits, const CheckOptions& options, Findings& findings);

}  // namespace vaetl::data
