// Optimisers for large batches: the step of each layer is in proportion to its weights' norm.
//   lars   r = trust ‖θ‖ / (‖g‖ + λ ‖θ‖);  v ← μ v + η r (g + λ θ);  θ ← θ − v     arXiv:1708.03888, eq. 6, algorithm 1
//   lamb   u = m̂ / (√v̂ + ε) + λ θ, with Adam's moments;  θ ← θ − η ‖θ‖ / ‖u‖ u    arXiv:1904.00962, algorithm 2
// Norms and biases, which have fewer than two dimensions, and tensors with a norm of 0 take r = 1 (‖θ‖ / ‖u‖ = 1): a
// bias begins at 0 or near, and a step in proportion to it would hold it there.
#pragma once
#include <string_view>

#include "vaetl/train/optimizers/adam.hpp"

namespace vaetl::optim {

class Lars final : public FirstOrder {
 public:
  static constexpr std::string_view name = "lars";
  struct Options {
    double lr = 1.0, momentum = 0.9, weight_decay = 0, trust = 0.001;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          field("lr", &O::lr, "learning rate", at_least(0)),
          field("momentum", &O::momentum, "share of the last step that is kept", between(0, 1)),
          field("weight_decay", &O::weight_decay, "L2 penalty added to the gradient", at_least(0)),
          field("trust", &O::trust, "size of a layer's step, as a share of its weights' norm", at_least(0))};
    }
  };
  explicit Lars(Options options) : FirstOrder({{"momentum"}}), options_(options) {}

 private:
  void update(const Lists& lists, double scale) override;
  Options options_;
};

class Lamb final : public FirstOrder {
 public:
  static constexpr std::string_view name = "lamb";
  struct Options {
    double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, weight_decay = 0;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{field("lr", &O::lr, "learning rate", at_least(0)),
                        field("beta1", &O::beta1, "decay of the first moment", between(0, 0.999999)),
                        field("beta2", &O::beta2, "decay of the second moment", between(0, 0.999999)),
                        field("eps", &O::eps, "added to the denominator", at_least(1e-30)),
                        field("weight_decay", &O::weight_decay, "pull of the weights towards 0", at_least(0))};
    }
  };
  explicit Lamb(Options options) : FirstOrder({{"first"}, {"second"}}, Counts::yes), options_(options) {}

 private:
  void update(const Lists& lists, double scale) override;
  Options options_;
};

}  // namespace vaetl::optim
