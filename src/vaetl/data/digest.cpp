#include "vaetl/data/digest.hpp"

#include <ATen/ATen.h>

namespace vaetl {

void DataDigest::add(const Fields& part) {
  for (const auto& [key, field] : part) add(key, field);
}

void DataDigest::add(const std::string& key, const at::Tensor& field) {
  const at::Tensor values = field.to(at::kCPU).contiguous();
  auto [found, fresh] = columns_.try_emplace(key);
  Column& column = found->second;
  if (fresh) {
    column.dtype = values.scalar_type();
    column.shape = values.sizes().vec();
  } else {
    column.shape[0] += values.size(0);
  }
  column.values.update(values.const_data_ptr(), values.nbytes());
}

void DataDigest::set(const std::string& key, const at::Tensor& values, Sha256 digest) {
  columns_[key] = {values.scalar_type(), values.sizes().vec(), std::move(digest)};
}

std::string DataDigest::hex() {
  std::string lines;
  for (auto& [key, column] : columns_) {
    lines += fmt::format("{} {} {} {}\n", key, dtype_name(column.dtype), shape_text(column.shape), column.values.hex());
  }
  return sha256_hex(lines);
}

std::int64_t example_bytes(const DatasetInfo& info) {
  std::int64_t bytes = 0;
  for (const auto& [key, field] : info.fields) {
    bytes += static_cast<std::int64_t>(c10::elementSize(field.dtype)) * c10::multiply_integers(field.shape);
  }
  return std::max<std::int64_t>(1, bytes);
}

void visit_parts(const Dataset& data, const std::function<void(const Fields&, std::int64_t)>& use) {
  constexpr std::int64_t bytes_a_part = std::int64_t{1} << 24;
  const std::int64_t step = std::max<std::int64_t>(1, bytes_a_part / example_bytes(data.info()));
  std::int64_t start = 0;
  do {
    const std::int64_t end = std::min(start + step, data.size());
    use(data.gather(at::arange(start, end, at::kLong)), end);
    start = end;
  } while (start < data.size());
}

std::string data_sha256(const Dataset& data) {
  DataDigest digest;
  visit_parts(data, [&](const Fields& part, std::int64_t) { digest.add(part); });
  return digest.hex();
}

}  // namespace vaetl
