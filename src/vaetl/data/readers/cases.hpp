// Files of labelled series, one case a line: the UCR/UEA archive's `.ts` (https://www.timeseriesclassification.com),
// its older `.tsv` and `.txt` (label first, values after it, NaN behind the end of a shorter case), and `.npy` with the
// same columns.
#pragma once
#include <filesystem>

#include "vaetl/data/reader.hpp"

namespace vaetl::readers {

struct CaseRules {
  std::int64_t dims = 0;     // F that every case must have; 0: that of the first
  std::int64_t columns = 0;  // a row of exactly so many values has no label; 0: every row has one
  bool interpolate = false;  // missing values lie on the line between their neighbours; else such a case is left out
};

struct Cases {
  std::int64_t dims = 0;                   // F
  std::vector<float> values = {};          // of one case after the other, (T, F) each
  std::vector<std::int64_t> lengths = {};  // T of each
  std::vector<std::string> places = {};    // "FILE:LINE" of each
  std::vector<std::string> labels = {};    // label_name() of each; empty: none
  std::vector<float> targets = {};         // of a regression; empty: none
  std::vector<std::string> declared = {};  // the header's list of labels

  std::int64_t size() const { return static_cast<std::int64_t>(lengths.size()); }
};

// Told by the name's ending. Cases that cannot be read go to `skips`; a file without a header where there must be one,
// with time stamps, or of another form is a DataError.
Cases read_cases(const std::filesystem::path& file, const CaseRules& rules, Skips& skips);

}  // namespace vaetl::readers
