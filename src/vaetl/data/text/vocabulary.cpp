#include "vaetl/data/text/vocabulary.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::text {

void TokenCounts::add(std::string_view token) {
  const auto found = counts_.find(token);
  if (found != counts_.end()) {
    ++found->second;
    return;
  }
  counts_.emplace(token, 1);
  if (counts_.size() <= most_) return;
  while (counts_.size() > most_ / 2) {
    ++forgotten_;
    std::erase_if(counts_, [&](const auto& entry) { return entry.second <= forgotten_; });
  }
}

std::vector<std::string> TokenCounts::frequent(std::int64_t size, std::int64_t min_count) const {
  using Entry = std::pair<std::string_view, std::int64_t>;
  std::vector<Entry> entries;
  for (const auto& [token, count] : counts_) {
    if (count >= min_count) entries.emplace_back(token, count);
  }
  const auto kept = std::min(entries.size(), static_cast<std::size_t>(size));
  std::partial_sort(
      entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(kept), entries.end(),
      [](const Entry& a, const Entry& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < kept; ++i) tokens.emplace_back(entries[i].first);
  return tokens;
}

Vocabulary::Vocabulary(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (places_.emplace(tokens_[i], i).second) continue;
    throw ConfigError({"vocabulary", "every token once", quote(tokens_[i]) + " twice", {}});
  }
}

std::int64_t Vocabulary::find(std::string_view token) const {
  const auto found = places_.find(token);
  return found == places_.end() ? -1 : found->second;
}

}  // namespace vaetl::text
