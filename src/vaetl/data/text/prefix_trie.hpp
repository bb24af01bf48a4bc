// A set of texts that finds, in one walk, those that a longer text begins with.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace vaetl::text {

class PrefixTrie {
 public:
  using Entry = std::pair<std::string_view, std::int32_t>;  // a text that is not empty, and its value from 0
  PrefixTrie() = default;
  explicit PrefixTrie(std::vector<Entry> entries);  // of equal texts one counts

  bool empty() const { return nodes_.empty(); }
  // take(length, value) for every entry that `text` begins with, the shortest first.
  template <class Take>
  void walk(std::string_view text, const Take& take) const;
  std::int32_t find(std::string_view text) const;           // the value of this very text; −1: it is none
  std::size_t longest_prefix(std::string_view text) const;  // length of the longest entry that it begins with, or 0

 private:
  // The children of a node are neighbours, sorted by the bytes that lead to them.
  struct Node {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::int32_t value = -1;
  };
  // The node that a byte leads to from `node`; 0, the root, where there is none.
  std::uint32_t next(std::uint32_t node, char byte) const {
    const Node& at = nodes_[node];
    if (at.count == 0) return 0;
    const char* begin = bytes_.data() + at.first;
    const auto* found = static_cast<const char*>(std::memchr(begin, static_cast<unsigned char>(byte), at.count));
    return found == nullptr ? 0 : at.first + static_cast<std::uint32_t>(found - begin);
  }

  std::vector<Node> nodes_;
  std::vector<char> bytes_;  // which led to each node
};

template <class Take>
void PrefixTrie::walk(std::string_view text, const Take& take) const {
  if (empty()) return;
  std::uint32_t node = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    node = next(node, text[i]);
    if (node == 0) return;
    if (nodes_[node].value >= 0) take(i + 1, nodes_[node].value);
  }
}

}  // namespace vaetl::text
