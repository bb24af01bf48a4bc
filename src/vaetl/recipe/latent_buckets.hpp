// z as a whole number, so that it can be coded: each dimension falls into one of 2^16 buckets that are equally likely
// under N(0, 1), and stands for the middle of its bucket (arXiv:1901.04866, section 2.5). Internal to
// recipe.
#pragma once
#include <cstdint>
#include <vector>

#include "vaetl/io/rans.hpp"

namespace vaetl::recipe {

class LatentBuckets {
 public:
  static constexpr int prior_bits = 16, posterior_bits = rans_most_bits;
  struct Normal {
    double mean, deviation;
  };

  LatentBuckets();
  float middle(std::uint32_t bucket) const { return middles_[bucket]; }
  // The share of a bucket under the posterior: its mass in units of 2^−28, one at least. To the bit the same for the
  // same numbers; whatever these are, shares follow one another and fill all slots.
  RansShare share(std::uint32_t bucket, const Normal& posterior) const;
  std::uint32_t bucket_at(std::uint32_t slot, const Normal& posterior) const;
  static RansShare prior_share(std::uint32_t bucket) { return {bucket, 1}; }

 private:
  std::uint32_t below(std::uint32_t bucket, const Normal& posterior) const;

  std::vector<double> edges_;  // lower ends, and the upper one of the last
  std::vector<float> middles_;
};

}  // namespace vaetl::recipe
