#include "vaetl/recipe/latent_buckets.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/special_ndtri.h>

#include <cmath>
#include <numbers>

namespace vaetl::recipe {
namespace {

constexpr std::uint32_t bucket_count = std::uint32_t{1} << LatentBuckets::prior_bits;
constexpr std::uint32_t shared_slots = (std::uint32_t{1} << LatentBuckets::posterior_bits) - bucket_count;

// The points below which N(0, 1) has the mass (i + shift) / 2^16, i = 0 … count − 1.
at::Tensor quantiles(std::int64_t count, double shift) {
  return at::special_ndtri((at::arange(count, at::kDouble) + shift) / double{bucket_count});
}

}  // namespace

LatentBuckets::LatentBuckets() {
  const at::Tensor edges = quantiles(bucket_count + 1, 0), middles = quantiles(bucket_count, 0.5).to(at::kFloat);
  const auto* edge = edges.const_data_ptr<double>();
  const auto* middle = middles.const_data_ptr<float>();
  edges_.assign(edge, edge + edges.numel());
  middles_.assign(middle, middle + middles.numel());
}

// The slots of all buckets before this one. Each has one slot for itself, so that none is without, and the others are
// shared by mass. A comparison that fails for what is no number leaves all to the first.
std::uint32_t LatentBuckets::below(std::uint32_t bucket, const Normal& posterior) const {
  if (bucket == 0) return 0;
  if (bucket == bucket_count) return shared_slots + bucket_count;
  const double t = (edges_[bucket] - posterior.mean) / posterior.deviation;
  const double slots = 0.5 * std::erfc(-t / std::numbers::sqrt2) * shared_slots;
  return (slots < shared_slots ? static_cast<std::uint32_t>(slots) : shared_slots) + bucket;
}

RansShare LatentBuckets::share(std::uint32_t bucket, const Normal& posterior) const {
  const std::uint32_t start = below(bucket, posterior);
  return {start, below(bucket + 1, posterior) - start};
}

std::uint32_t LatentBuckets::bucket_at(std::uint32_t slot, const Normal& posterior) const {
  std::uint32_t low = 0, high = bucket_count;
  while (high - low > 1) {
    const std::uint32_t half = low + (high - low) / 2;
    (below(half, posterior) <= slot ? low : high) = half;
  }
  return low;
}

}  // namespace vaetl::recipe
