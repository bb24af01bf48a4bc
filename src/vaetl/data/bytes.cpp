#include "vaetl/data/bytes.hpp"

#include <ATen/ops/empty.h>

#include "vaetl/core/parallel.hpp"
#include "vaetl/data/kernels/bytes.hpp"

namespace vaetl {
namespace {

constexpr std::int64_t values_a_thread = 65536;

}  // namespace

bool plain_bytes(const at::Tensor& values) {
  return values.device().is_cpu() && values.scalar_type() == at::kByte && values.is_contiguous();
}

at::Tensor byte_rows(const at::Tensor& values, const at::Tensor& index) {
  auto shape = values.sizes().vec();
  const std::int64_t size = values.size(0) == 0 ? 0 : values.numel() / values.size(0);
  shape[0] = index.size(0);
  at::Tensor result = at::empty(shape, values.options());
  const at::Tensor places = index.contiguous();
  auto* to = result.mutable_data_ptr<std::uint8_t>();
  const auto* from = values.const_data_ptr<std::uint8_t>();
  const auto* place = places.const_data_ptr<std::int64_t>();
  const std::int64_t grain = values_a_thread / std::max<std::int64_t>(1, size) + 1;
  parallel_ranges(index.size(0), grain, [&](std::int64_t first, std::int64_t last) {
    kernels::copy_rows(to + first * size, from, place + first, last - first, size);
  });
  return result;
}

at::Tensor scaled_bytes(const at::Tensor& bytes, const ByteScale& scale) {
  at::Tensor result = at::empty(bytes.sizes(), bytes.options().dtype(at::kFloat));
  float* to = result.mutable_data_ptr<float>();
  const auto* from = bytes.const_data_ptr<std::uint8_t>();
  parallel_ranges(bytes.numel(), values_a_thread, [&](std::int64_t first, std::int64_t last) {
    kernels::scale_bytes(to + first, from + first, scale.factor, scale.offset, last - first);
  });
  return result;
}

}  // namespace vaetl
