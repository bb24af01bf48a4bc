#include "vaetl/metrics/kernels/pull.hpp"

#include "vaetl/core/target.hpp"

namespace vaetl::metrics::kernels {
namespace {

constexpr std::int64_t lanes = 16;  // partial sums, so that a sum has no order that the processor must keep

struct Sums {
  float near[lanes] = {}, attraction[2][lanes] = {}, repulsion[2][lanes] = {};
};

// Of a point that lies so far to the right of point i, and above it.
VAETL_INLINE void add(Sums& sums, std::int64_t lane, float right, float above, float share) {
  const float near = 1 / (1 + right * right + above * above), attraction = share * near, repulsion = near * near;
  sums.near[lane] += near;
  sums.attraction[0][lane] -= attraction * right;
  sums.attraction[1][lane] -= attraction * above;
  sums.repulsion[0][lane] -= repulsion * right;
  sums.repulsion[1][lane] -= repulsion * above;
}

// Of points first to last − 1 on a point at (x_i, y_i).
VAETL_INLINE void add_range(Sums& sums, float x_i, float y_i, const float* __restrict x, const float* __restrict y,
                            const float* __restrict shares, std::int64_t first, std::int64_t last) {
  std::int64_t j = first;
  for (; j + lanes <= last; j += lanes) {
    for (std::int64_t k = 0; k < lanes; ++k) add(sums, k, x[j + k] - x_i, y[j + k] - y_i, shares[j + k]);
  }
  for (std::int64_t k = 0; j + k < last; ++k) add(sums, k, x[j + k] - x_i, y[j + k] - y_i, shares[j + k]);
}

VAETL_INLINE float total(const float* sums) {
  float all = 0;
  for (std::int64_t lane = 0; lane < lanes; ++lane) all += sums[lane];
  return all;
}

}  // namespace

VAETL_EVERY_PROCESSOR Pull pull_on(std::int64_t i, const float* x, const float* y, const float* shares,
                                   std::int64_t count) {
  Sums sums;
  add_range(sums, x[i], y[i], x, y, shares, 0, i);
  add_range(sums, x[i], y[i], x, y, shares, i + 1, count);
  return {total(sums.near),
          {total(sums.attraction[0]), total(sums.attraction[1])},
          {total(sums.repulsion[0]), total(sums.repulsion[1])}};
}

}  // namespace vaetl::metrics::kernels
