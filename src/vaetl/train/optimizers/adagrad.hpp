// Adagrad (Duchi, Hazan and Singer, JMLR 12, 2011, with diagonal matrices), step t = 1, 2, …:
//   g ← g + λ θ;  s ← s + g²;  θ ← θ − η / (1 + (t − 1) lr_decay) · g / (√s + ε)
#pragma once
#include <string_view>

#include "vaetl/train/optimizers/first_order.hpp"

namespace vaetl::optim {

class Adagrad final : public FirstOrder {
 public:
  static constexpr std::string_view name = "adagrad";
  struct Options {
    double lr = 0.01, lr_decay = 0, eps = 1e-10, initial = 0, weight_decay = 0;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{field("lr", &O::lr, "learning rate", at_least(0)),
                        field("lr_decay", &O::lr_decay, "how fast the rate falls with the steps", at_least(0)),
                        field("eps", &O::eps, "added to the denominator", at_least(1e-30)),
                        field("initial", &O::initial, "the sums of squares at the start", at_least(0)),
                        field("weight_decay", &O::weight_decay, "L2 penalty added to the gradient", at_least(0))};
    }
  };
  explicit Adagrad(Options options) : FirstOrder({{"sum", options.initial}}, Counts::yes), options_(options) {}

 private:
  void update(const Lists& lists, double scale) override;
  Options options_;
};

}  // namespace vaetl::optim
