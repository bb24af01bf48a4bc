// What a transform offers whose pictures of sound can be heard again, as well as that can be done: what it left out is
// filled in.
#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vaetl {

class MakesSound {
 public:
  virtual ~MakesSound() = default;
  // What apply() makes of sound (N, S) → such sound, float32, full scale is 1; samples 0: as few as pictures of this
  // width can have. ConfigError for options from which there is no way back, DataError for pictures of another shape.
  virtual at::Tensor sound_of(const at::Tensor& pictures, std::int64_t samples, at::Generator& generator) const = 0;
  virtual std::int64_t rate() const = 0;  // samples a second
};

}  // namespace vaetl
