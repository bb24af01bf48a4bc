// Adam's family: m and v are the running means of g and g², corrected for their start at 0,
//   θ ← θ − η m̂ / (√v̂ + ε)
//   adam   arXiv:1412.6980, algorithm 1; weight decay is added to the gradient
//   adamw  arXiv:1711.05101, algorithm 2; weight decay is decoupled
#pragma once
#include <string_view>

#include "vaetl/train/optimizers/first_order.hpp"

namespace vaetl::optim {

struct AdamOptions {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  static constexpr auto fields() {
    using O = AdamOptions;
    return std::tuple{field("lr", &O::lr, "learning rate", at_least(0)),
                      field("beta1", &O::beta1, "decay of the first moment", between(0, 0.999999)),
                      field("beta2", &O::beta2, "decay of the second moment", between(0, 0.999999)),
                      field("eps", &O::eps, "added to the denominator", at_least(1e-30)),
                      field("weight_decay", &O::weight_decay, "pull of the weights towards 0", at_least(0))};
  }
};

class Adam final : public FirstOrder {
 public:
  static constexpr std::string_view name = "adam";
  using Options = AdamOptions;
  explicit Adam(Options options) : FirstOrder({{"first"}, {"second"}}, Counts::yes), options_(options) {}

 private:
  void update(const Lists& lists, double scale) override;
  std::optional<double> lr() const override { return options_.lr; }
  Options options_;
};

class AdamW final : public FirstOrder {
 public:
  static constexpr std::string_view name = "adamw";
  using Options = AdamOptions;
  explicit AdamW(Options options) : FirstOrder({{"first"}, {"second"}}, Counts::yes), options_(options) {}

 private:
  void update(const Lists& lists, double scale) override;
  std::optional<double> lr() const override { return options_.lr; }
  Options options_;
};

}  // namespace vaetl::optim
