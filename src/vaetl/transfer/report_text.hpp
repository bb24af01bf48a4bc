// The report of an adaptation: what became of each tensor, as lines for people and as JSON. Internal to transfer.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/transfer/adapt.hpp"

namespace vaetl::detail {

struct Adaptation {
  const Model& source;
  const Model& target;
  const LoadReport& weights;
  const Tuning& tuning;
  const AdaptOptions& options;
  std::string preprocessing;  // what became of it
};

// What became of a tensor of the target.
struct Fate {
  std::string name = {}, group = {};
  std::string outcome = {};  // loaded, reshaped, initialised, mismatched
  std::string why = {};      // and how; empty where the outcome says it all
  std::string from = {};     // the source's name; empty: none
  std::int64_t values = 0, taken = 0;
  bool backbone = true;    // no head, adapter, component, counter of batches
  bool asked_for = false;  // initialised, and so it should be
  bool trained = true;     // at the start
};
std::vector<Fate> fates(const Adaptation& adaptation);

// Share of the backbone's values that come from the source; 1 where there is no backbone.
double matched(const std::vector<Fate>& fates);

// Layer groups that are fresh because someone wants them: new heads, adapters, components between layers.
bool is_asked_for(std::string_view group, const AdaptOptions& options);

inline constexpr std::string_view dropped = "dropped by a rule";  // LoadReport's note of such a tensor

bool covers(const LayerGroup& group, std::string_view name);

// Of the source's tensors that are not used: those of its groups that the classifier sharing its encoder has not, so
// that nobody can expect them.
bool is_left_behind(const Adaptation& adaptation, std::string_view name);

std::string report_text(const Adaptation& adaptation);
Json report_json(const Adaptation& adaptation);

}  // namespace vaetl::detail
