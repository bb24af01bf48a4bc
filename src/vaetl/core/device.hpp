// Device choice: "auto" (CUDA where there is one), "cpu", "cuda", "cuda:N".
#pragma once
#include <c10/core/Device.h>

#include <string>

namespace vaetl {

// DeviceError for a device that is absent, ConfigError for a name that is none.
c10::Device choose_device(const std::string& name);

}  // namespace vaetl
