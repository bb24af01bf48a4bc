// Stochastic gradient descent:
//   v ← μ v + (g + λ θ);  θ ← θ − η v  (Nesterov: g + λ θ + μ v)   Sutskever et al., ICML 2013, eq. 3–4
#pragma once
#include <string_view>

#include "vaetl/train/optimizers/first_order.hpp"

namespace vaetl::optim {

class Sgd final : public FirstOrder {
 public:
  static constexpr std::string_view name = "sgd";
  struct Options {
    double lr = 0.01, momentum = 0.9, weight_decay = 0;
    bool nesterov = false;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{field("lr", &O::lr, "learning rate", at_least(0)),
                        field("momentum", &O::momentum, "share of the last step that is kept", between(0, 1)),
                        field("weight_decay", &O::weight_decay, "L2 penalty added to the gradient", at_least(0)),
                        field("nesterov", &O::nesterov, "Nesterov's momentum")};
    }
    void validate() const;
  };
  explicit Sgd(Options options);

 private:
  void update(const Lists& lists, double scale) override;
  std::optional<double> lr() const override { return options_.lr; }
  Options options_;
};

}  // namespace vaetl::optim
