// Metrics name capabilities, not objectives: any model that offers them is scored. Sums stay on the device until
// result().
#pragma once
#include <map>
#include <memory>
#include <string>

#include "vaetl/core/registry.hpp"
#include "vaetl/nn/pass.hpp"

namespace vaetl {

class Metric {
 public:
  using Kind = Metric;
  virtual ~Metric() = default;
  virtual Needs needs() const = 0;
  virtual void update(Pass& pass) = 0;  // evaluation mode, no gradients
  virtual double result() const = 0;
  virtual bool higher_is_better() const = 0;
};

template <>
Registry<Metric>& registry<Metric>();  // accuracy, cross_entropy, elbo, reconstruction_mse, rmse, mae, r2

}  // namespace vaetl
