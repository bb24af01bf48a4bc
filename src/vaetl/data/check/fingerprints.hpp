// A short digest of every example's input, by which equal examples are found without holding them.
#pragma once
#include <cstdint>
#include <vector>

#include "vaetl/data/dataset.hpp"

namespace vaetl::data {

struct Fingerprint {
  std::uint64_t high = 0, low = 0;  // of `input` and `length`: the first 128 bits of their SHA-256
  std::uint64_t alike = 0;          // of texts: 64 bits of what is left without case, blanks and signs; else 0
  std::int64_t index = 0;
  std::int32_t split = 0, label = -1;  // −1: none

  bool same(const Fingerprint& other) const { return high == other.high && low == other.low; }
};

// Of one split after the other. Texts with words that the vocabulary lacks have lost what tells them apart: they are
// left out, and counted.
struct Fingerprints {
  std::vector<Fingerprint> all = {};
  std::int64_t unknown = 0;
};
Fingerprints fingerprints(const std::vector<Dataset>& splits);

}  // namespace vaetl::data
