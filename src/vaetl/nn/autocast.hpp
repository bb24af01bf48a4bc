// While one lives, matrix products, convolutions and recurrent layers of this thread compute in bfloat16, their weights
// and results cast as they go, and losses in float32: LibTorch's autocast, by its lists of operators. A backward pass
// belongs outside of it. What was cast of the weights is forgotten at its end, since a step changes them; kept, a
// training would go on with the old ones and stand still.
//
//   const nn::Autocast guard(device, at::kBFloat16);   // at::kFloat: nothing changes
#pragma once
#include <ATen/core/Tensor.h>

namespace vaetl::nn {

class Autocast {
 public:
  Autocast(c10::Device device, at::ScalarType precision);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType device_;
  bool active_, before_ = false;
  at::ScalarType type_before_ = at::kFloat;
};

}  // namespace vaetl::nn
