// Pictures of several splits together, small enough to be compared with each other.
#pragma once
#include "vaetl/data/check/fingerprints.hpp"

namespace vaetl::data {

struct SmallPictures {
  at::Tensor values = {};            // uint8 (N, C, H, W), averaged to 32×32 at most; undefined: nothing to compare
  std::vector<Fingerprint> of = {};  // which ones they are
  std::int64_t left = 0;             // of the pictures asked for, those that were too many
};

// The pictures that `prints` name, in the order of the data; of more than `most` so many, evenly spaced. Those of a
// single colour, and splits whose pictures have another size than the first split's, are left out.
SmallPictures small_pictures(const std::vector<Dataset>& splits, const std::vector<Fingerprint>& prints,
                             std::int64_t most);

}  // namespace vaetl::data
