// A stack of numbers in as few bits as their probabilities allow: asymmetric numeral systems, the range variant with a
// state of 64 bits and words of 32 (arXiv:1311.2540). What was pushed last is popped first, and a pop that
// no push preceded draws from the distribution that it is given: bits-back coding needs both.
//
//   RansStack stack;
//   stack.push({.start = 3, .count = 5}, 4);     // a symbol that owns 3 … 7 of the 16 slots: log₂ 16/5 bits
//   std::uint32_t slot = stack.peek(4);          // one of 3 … 7
//   stack.pop({.start = 3, .count = 5}, 4);      // as before
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace vaetl {

// A symbol's share of the 2^bits slots: start … start + count − 1, count at least 1.
struct RansShare {
  std::uint32_t start = 0, count = 1;
};

inline constexpr int rans_most_bits = 28;  // of a distribution: beyond, rounding of the state costs more than it brings

class RansStack {
 public:
  // Empty. It never runs out: below its bottom lie words of a fixed pseudo-random sequence, "clean bits", of which
  // `clean_words` says how many were taken.
  RansStack();
  // What words() gave. DataError, beginning with `where`, for what no stack gives; and when it runs out.
  RansStack(std::vector<std::uint32_t> words, std::string where);

  void push(RansShare share, int bits) {
    const std::uint64_t limit = ((lowest >> bits) << 32) * share.count;
    if (state_ >= limit) {
      words_.push_back(static_cast<std::uint32_t>(state_));
      state_ >>= 32;
    }
    state_ = ((state_ / share.count) << bits) + state_ % share.count + share.start;
  }
  std::uint32_t peek(int bits) const { return static_cast<std::uint32_t>(state_ & ((std::uint64_t{1} << bits) - 1)); }
  // `share` is that of the symbol which owns peek(bits).
  void pop(RansShare share, int bits) {
    state_ = share.count * (state_ >> bits) + peek(bits) - share.start;
    if (state_ < lowest) state_ = state_ << 32 | next_word();
  }

  std::vector<std::uint32_t> words() const;  // bottom first, the state last
  std::int64_t clean_words() const { return clean_; }

 private:
  static constexpr std::uint64_t lowest = std::uint64_t{1} << 31;  // of the state, which stays below 2⁶³
  std::uint32_t next_word();

  std::uint64_t state_;
  std::vector<std::uint32_t> words_ = {};
  bool endless_;
  std::string where_ = {};
  std::int64_t clean_ = 0;
};

}  // namespace vaetl
