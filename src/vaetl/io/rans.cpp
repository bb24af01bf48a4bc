#include "vaetl/io/rans.hpp"

#include <utility>

#include "vaetl/core/error.hpp"

namespace vaetl {
namespace {

// SplitMix64, a bijection of the index whose outputs pass tests of randomness (Steele, Lea, Flood, OOPSLA 2014).
std::uint32_t clean_word(std::int64_t index) {
  std::uint64_t z = (static_cast<std::uint64_t>(index) + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<std::uint32_t>(z >> 32);
}

}  // namespace

// The state begins with 31 clean bits: zeros would make the first pop take each distribution's first symbol.
RansStack::RansStack() : state_(lowest | (clean_word(-1) & (lowest - 1))), endless_(true) {}

RansStack::RansStack(std::vector<std::uint32_t> words, std::string where)
    : words_(std::move(words)), endless_(false), where_(std::move(where)) {
  const std::size_t count = words_.size();
  state_ = count < 2 ? 0 : std::uint64_t{words_[count - 1]} << 32 | words_[count - 2];
  if (state_ < lowest || state_ >> 63 != 0) {
    throw DataError({where_, "a stream of coded numbers", "words that end in no state", "the file is damaged"});
  }
  words_.resize(count - 2);
}

std::uint32_t RansStack::next_word() {
  if (!words_.empty()) {
    const std::uint32_t word = words_.back();
    words_.pop_back();
    return word;
  }
  if (endless_) return clean_word(clean_++);
  throw DataError({where_, "more coded numbers", "the end of a stream", "the file is damaged"});
}

std::vector<std::uint32_t> RansStack::words() const {
  std::vector<std::uint32_t> words = words_;
  words.push_back(static_cast<std::uint32_t>(state_));
  words.push_back(static_cast<std::uint32_t>(state_ >> 32));
  return words;
}

}  // namespace vaetl
