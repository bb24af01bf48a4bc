// The rows of a long series as numbers, in the order of time.
#pragma once
#include <ATen/core/Tensor.h>

#include "vaetl/data/readers/series.hpp"

namespace vaetl::readers {

// Names of the columns that are read; empty time: there is none.
struct SeriesColumns {
  std::vector<std::string> inputs = {}, targets = {};
  std::string time = {};
};

struct SeriesTable {
  at::Tensor inputs = {}, targets = {};  // (R, F) and (R, F′) float32; NaN where missing
  std::vector<std::int64_t> lines = {};  // of each row
  std::vector<char> breaks = {};         // whether lines were left out before a row
};

// What the options leave open is learnt from the first `share` of the rows. ConfigError for a column that the file
// lacks.
SeriesColumns learn_columns(const TextTable& table, const Series::Options& options, double share);

// Values that are no numbers and rows out of the order of time go to `flaws`.
SeriesTable read_series(const TextTable& table, const SeriesColumns& columns, const Series::Options& options,
                        Flaws& flaws);

}  // namespace vaetl::readers
