#include "vaetl/data/text/prefix_trie.hpp"

#include <algorithm>

namespace vaetl::text {

PrefixTrie::PrefixTrie(std::vector<Entry> entries) {
  if (entries.empty()) return;
  std::sort(entries.begin(), entries.end());
  struct Below {
    std::size_t begin, end, depth;  // the entries below a node, which agree in their first `depth` bytes
  };
  std::vector<Below> open = {{0, entries.size(), 0}};
  nodes_.emplace_back();
  bytes_.push_back(0);
  for (std::size_t node = 0; node < open.size(); ++node) {
    auto [begin, end, depth] = open[node];
    for (; begin < end && entries[begin].first.size() == depth; ++begin) nodes_[node].value = entries[begin].second;
    nodes_[node].first = static_cast<std::uint32_t>(nodes_.size());
    while (begin < end) {
      const char byte = entries[begin].first[depth];
      std::size_t stop = begin + 1;
      while (stop < end && entries[stop].first[depth] == byte) ++stop;
      open.push_back({begin, stop, depth + 1});
      nodes_.emplace_back();
      bytes_.push_back(byte);
      begin = stop;
    }
    nodes_[node].count = static_cast<std::uint32_t>(nodes_.size()) - nodes_[node].first;
  }
}

std::int32_t PrefixTrie::find(std::string_view text) const {
  std::uint32_t node = 0;
  for (const char byte : text) {
    if (empty() || (node = next(node, byte)) == 0) return -1;
  }
  return text.empty() ? -1 : nodes_[node].value;
}

std::size_t PrefixTrie::longest_prefix(std::string_view text) const {
  std::size_t longest = 0;
  walk(text, [&](std::size_t length, std::int32_t) { longest = length; });
  return longest;
}

}  // namespace vaetl::text
