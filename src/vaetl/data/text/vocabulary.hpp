// A vocabulary: the most frequent tokens of the training texts, each with its place.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vaetl::text {

// Finds a string by a view of it.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <class T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

class TokenCounts {
 public:
  // Beyond `most` different tokens the rarest are forgotten, with their counts, so that memory stays bounded; what is
  // frequent is not touched.
  explicit TokenCounts(std::size_t most = std::size_t{1} << 23) : most_(most) {}
  void add(std::string_view token);
  // At most `size` tokens that were added `min_count` times or more: the most frequent first, equal ones in the order
  // of their bytes.
  std::vector<std::string> frequent(std::int64_t size, std::int64_t min_count) const;

 private:
  std::size_t most_;
  std::int64_t forgotten_ = 0;  // the largest count that was dropped
  TextMap<std::int64_t> counts_;
};

class Vocabulary {
 public:
  Vocabulary() = default;
  explicit Vocabulary(std::vector<std::string> tokens);  // ConfigError where one stands twice
  std::int64_t find(std::string_view token) const;       // its place in tokens(); −1: it has none
  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  const std::vector<std::string>& tokens() const { return tokens_; }

 private:
  std::vector<std::string> tokens_;
  TextMap<std::int64_t> places_;
};

}  // namespace vaetl::text
