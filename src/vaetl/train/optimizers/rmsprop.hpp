// RMSprop (Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012):
//   g ← g + λ θ;  s ← α s + (1 − α) g²;  θ ← θ − η g / (√s + ε)
// centered: m ← α m + (1 − α) g, and s − m² in the place of s (arXiv:1308.0850, eq. 38–41).
// momentum μ: b ← μ b + g / (√s + ε);  θ ← θ − η b
#pragma once
#include <string_view>

#include "vaetl/train/optimizers/first_order.hpp"

namespace vaetl::optim {

class RmsProp final : public FirstOrder {
 public:
  static constexpr std::string_view name = "rmsprop";
  struct Options {
    double lr = 0.01, alpha = 0.99, eps = 1e-8, momentum = 0, weight_decay = 0;
    bool centered = false;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          field("lr", &O::lr, "learning rate", at_least(0)),
          field("alpha", &O::alpha, "decay of the mean square", between(0, 0.999999)),
          field("eps", &O::eps, "added to the denominator", at_least(1e-30)),
          field("momentum", &O::momentum, "share of the last step that is kept", between(0, 1)),
          field("weight_decay", &O::weight_decay, "L2 penalty added to the gradient", at_least(0)),
          field("centered", &O::centered, "divide by the standard deviation, not the mean square's root")};
    }
  };
  explicit RmsProp(Options options);

 private:
  void update(const Lists& lists, double scale) override;
  std::vector<at::Tensor> denominators(const Lists& lists) const;
  Options options_;
};

}  // namespace vaetl::optim
