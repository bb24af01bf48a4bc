#include "vaetl/data/resident.hpp"

#include <ATen/DeviceAccelerator.h>
#include <c10/util/accumulate.h>

#include "vaetl/data/sources.hpp"

namespace vaetl {

std::int64_t stored_bytes(const Dataset& data) {
  std::int64_t bytes_an_example = 0;
  for (const auto& [key, field] : data.info().fields) {
    bytes_an_example += c10::multiply_integers(field.shape) * static_cast<std::int64_t>(c10::elementSize(field.dtype));
  }
  return bytes_an_example * data.size();
}

Dataset resident(const Dataset& data, c10::Device device) {
  Fields fields;
  for (const auto& [key, values] : data.all()) fields.set(key, values.to(device));
  return Dataset(std::make_shared<TensorSource>(std::move(fields), data.info(), data.size()));
}

Dataset resident_where_it_fits(const Dataset& data, c10::Device device) {
  const bool in_memory = data.window() == 0 && !data.decodes();
  if (device.is_cpu() || !in_memory) return data;
  const auto free = at::accelerator::getMemoryInfo(device.index()).first;
  return stored_bytes(data) <= static_cast<std::int64_t>(free / 4) ? resident(data, device) : data;
}

}  // namespace vaetl
