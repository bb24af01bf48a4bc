// The replacements that a SentencePiece model makes in a text before it is cut (full-width letters to plain ones, say):
// a double array (Darts: a trie of the texts to be replaced, in units of 32 bits) and the texts that its values point
// to, each ended by a byte 0. In the file: the array's size in bytes (uint32, little-endian), the array, the texts.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vaetl::text {

class ReplacementTable {
 public:
  // Whether every walk through the table stays inside it, and no replacement is longer than Unicode's own by far.
  static bool is_whole(std::string_view table);

  ReplacementTable() = default;
  explicit ReplacementTable(std::string_view table);  // one that is whole
  struct Match {
    std::size_t length = 0;          // of what is replaced, in bytes; 0: nothing is
    std::string_view replacement{};  // lives as long as the table
  };
  Match longest(std::string_view text) const;  // of the replacements for what the text begins with

 private:
  std::vector<std::uint32_t> units_;
  std::string texts_;
};

}  // namespace vaetl::text
