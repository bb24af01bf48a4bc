// Pixels of any picture as a model sees them, and back, whatever the picture's size: by what the preprocessing that the
// weights carry makes of black and of white. It must map the shades between them linearly.
#pragma once
#include <string>

#include "vaetl/nn/model.hpp"

namespace vaetl::recipe {

struct Shades {
  at::Tensor black, white;  // (1, C, 1, 1), as the model sees them, on its device
  std::int64_t channels() const { return black.size(1); }
  at::Tensor seen(const at::Tensor& pixels) const;  // uint8 (N, C, H, W) → as the model sees them
  at::Tensor share(const at::Tensor& seen) const;   // → between 0, black, and 1, white; clipped
  at::Tensor pixels(const at::Tensor& seen) const;  // → uint8 on the CPU
};

// ConfigError, beginning with `by`, for a model that does not see pictures of 1 or 3 channels, or another
// preprocessing.
Shades shades_of(const Model& model, const std::string& by);

}  // namespace vaetl::recipe
