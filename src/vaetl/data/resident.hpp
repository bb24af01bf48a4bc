// Sets that live on the device: a batch is gathered there, and only its places travel.
#pragma once
#include <c10/core/Device.h>

#include "vaetl/data/dataset.hpp"

namespace vaetl {

std::int64_t stored_bytes(const Dataset& data);  // of its fields' values, as they are stored

// The same examples with their values on the device.
Dataset resident(const Dataset& data, c10::Device device);

// That for a set in memory that takes at most a quarter of what is free on an accelerator; all others as they are.
Dataset resident_where_it_fits(const Dataset& data, c10::Device device);

}  // namespace vaetl
