#include "vaetl/nn/autocast.hpp"

#include <ATen/autocast_mode.h>

namespace vaetl::nn {

Autocast::Autocast(c10::Device device, at::ScalarType precision)
    : device_(device.type()), active_(precision != at::kFloat) {
  if (!active_) return;
  before_ = at::autocast::is_autocast_enabled(device_);
  type_before_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_dtype(device_, precision);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!active_) return;
  at::autocast::decrement_nesting();
  at::autocast::clear_cache();
  at::autocast::set_autocast_dtype(device_, type_before_);
  at::autocast::set_autocast_enabled(device_, before_);
}

}  // namespace vaetl::nn
