// Pictures that are nearly the same: moved by a pixel, compressed again, a little brighter.
//
//   ρ(a, b) = max over moves (dy, dx) in {−1, 0, 1}² of  Σ (a − mean a)(b − mean b) / (‖a − mean a‖ ‖b − mean b‖)
//
// with a the inside of one picture, a pixel off every edge, and b the part of the other that lies there after the move.
// ρ is 1 for a picture moved by one pixel, and does not change with brightness and contrast.
//
// The search is exact: unit vectors with ρ ≥ t are at most √(2 − 2t) apart, and so are their projections on the
// directions in which the pictures vary most; a tree over these gives the candidates, whose ρ is then computed. Its
// effort for one picture is limited; where that ends a search, `incomplete` counts it.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace vaetl::data {

struct NearPair {
  std::int64_t a = 0, b = 0;  // a < b
  double correlation = 0;
};

struct NearPairs {
  std::vector<NearPair> pairs = {};  // at most eight found from one picture, in the order of a
  std::int64_t incomplete = 0;
};

// pictures: uint8 (N, C, H, W), H and W at least `near_least`; one of a single value is near none.
constexpr std::int64_t near_least = 8;
NearPairs near_pictures(const at::Tensor& pictures, double correlation);

}  // namespace vaetl::data
