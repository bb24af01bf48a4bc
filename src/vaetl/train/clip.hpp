// Gradients of an update held in bounds, on the device, without reading them. Of several limits, all hold, in this
// order:
//   adaptive λ  G_i ← λ max(‖W_i‖, 1e-3) / ‖G_i‖ · G_i where ‖G_i‖ / max(‖W_i‖, 1e-3) > λ     arXiv:2102.06171, eq. 3
//               i: the units of a layer, the rows of the first dimension of its weight; norms and biases are one unit.
//               Heads are left alone, as the paper advises (its section 4.1).
//   value c     every gradient to [−c, c]
//   norm c      g ← g · min(1, c / ‖g‖), the norm over all gradients of the update                 arXiv:1211.5063
#pragma once
#include <set>
#include <string>
#include <vector>

#include "vaetl/train/optimizer.hpp"

namespace vaetl {

struct ClipLimits {
  double norm = 0, value = 0, adaptive = 0;  // 0: none
};

class GradientClip {
 public:
  // `heads`: names of parameters that the adaptive rule leaves alone.
  GradientClip(ClipLimits limits, const std::vector<ParameterSet>& sets, const std::set<std::string>& heads);
  void apply() const;

 private:
  void adapt() const;
  ClipLimits limits_;
  std::vector<at::Tensor> parameters_, adapted_;
};

}  // namespace vaetl
