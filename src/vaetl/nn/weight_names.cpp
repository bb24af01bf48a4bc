#include "vaetl/nn/weight_names.hpp"

#include "vaetl/core/text.hpp"

namespace vaetl {

bool is_batch_counter(std::string_view name) {
  constexpr std::string_view counter = "num_batches_tracked";
  return name.ends_with(counter) && (name.size() == counter.size() || name[name.size() - counter.size() - 1] == '.');
}

std::string foreign_prefix(const Weights& weights, const Weights& own) {
  if (weights.empty()) return {};
  const std::string& first = weights.begin()->first;
  for (auto dot = first.find('.'); dot != std::string::npos; dot = first.find('.', dot + 1)) {
    const std::string prefix = first.substr(0, dot + 1);
    const auto has = [&](const auto& item) { return item.first.starts_with(prefix); };
    if (!std::all_of(weights.begin(), weights.end(), has)) return {};
    const auto fits = [&](const auto& item) { return own.contains(item.first.substr(prefix.size())); };
    if (std::any_of(weights.begin(), weights.end(), fits)) return prefix;
  }
  return {};
}

std::string prefix_remedy(const Weights& weights, const Weights& own, const std::string& otherwise) {
  const std::string prefix = foreign_prefix(weights, own);
  if (prefix.empty()) return otherwise;
  return fmt::format("all names begin with {}: take it off by FILE?strip_prefix={}", quote(prefix), prefix);
}

}  // namespace vaetl
