// The report of an adaptation for people: one line a layer group, then what a line cannot say.
#pragma once
#include <string>

#include "vaetl/transfer/adapt.hpp"

namespace vaetl::detail {

struct Adaptation {
  const Model& source;
  const Model& target;
  const LoadReport& weights;
  const Tuning& tuning;
  std::string preprocessing;  // what became of it
};
std::string report_text(const Adaptation& adaptation);

}  // namespace vaetl::detail
