// From the CPU to a device without making the host wait.
#pragma once
#include <ATen/core/Tensor.h>

namespace vaetl {

inline at::Tensor to_device(const at::Tensor& values, c10::Device device) {
  if (!device.is_cuda() || !values.is_cpu()) return values.to(device);
  return values.pin_memory().to(device, /*non_blocking=*/true);
}

}  // namespace vaetl
