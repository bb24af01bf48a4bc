#include "vaetl/core/device.hpp"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include "vaetl/core/error.hpp"

namespace vaetl {
namespace {

std::int64_t cuda_count() { return at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0; }

std::int64_t cuda_index(const std::string& name) {
  if (name == "cuda") return 0;
  const std::string digits = name.substr(5);
  const bool valid = !digits.empty() && digits.size() <= 3 &&
                     std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c); });
  return valid ? std::stoll(digits) : -1;
}

}  // namespace

c10::Device choose_device(const std::string& name) {
  if (name == "cpu") return c10::kCPU;
  if (name == "auto") return cuda_count() > 0 ? c10::Device(c10::kCUDA, 0) : c10::Device(c10::kCPU);
  const bool cuda = name == "cuda" || name.starts_with("cuda:");
  if (!cuda || cuda_index(name) < 0) {
    throw ConfigError({"device", "auto, cpu, cuda or cuda:N", "\"" + name + "\"", {}});
  }
  if (cuda_index(name) >= cuda_count()) {
    throw DeviceError({"device", "a CUDA device " + name, std::to_string(cuda_count()) + " CUDA devices",
                       "use --device cpu, or a LibTorch built for CUDA on a machine with one"});
  }
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(cuda_index(name))};
}

}  // namespace vaetl
