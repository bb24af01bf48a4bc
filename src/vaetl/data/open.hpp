// References to data as datasets. NAME is a known set (data/known_sets.hpp); KIND:PATH is the user's own, read by the
// reader of that name (data/reader.hpp).
//
//   auto fashion = data::open("fashion-mnist");
//   auto mine    = data::open("csv:sensors.csv?target=state&test_share=0.2");
//   auto fives   = data::open("mnist?keep=[5,6,7,8,9]");
//
// Any reference takes the option keep: the labels of the classes to keep, which become 0, 1, … in this order.
#pragma once
#include "vaetl/data/known_sets.hpp"
#include "vaetl/data/reader.hpp"
#include "vaetl/data/reference.hpp"

namespace vaetl::data {

// ConfigError for a name or kind that nobody knows, with the nearest, and for options that do not hold. DataError: not
// found (says where it looked and where to get it), or files that do not hold what they should. With `reading.fitted`
// the files are read as the data were that it comes from; options of the reference win over its own.
Splits open(const Reference& reference, const Reading& reading = {});
Splits open(const std::string& reference, const Reading& reading = {});

}  // namespace vaetl::data
