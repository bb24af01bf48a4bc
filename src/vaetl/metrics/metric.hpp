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
  virtual bool on_request() const { return false; }  // so slow that it is computed only where it is named
  // Compares with the training data: before update() it is given their features, (N, F) on the CPU, and labels, (N).
  virtual bool compares_with_training() const { return false; }
  virtual void learn(const at::Tensor& /*features*/, const at::Tensor& /*labels*/, std::int64_t /*classes*/) {}
};

template <>
Registry<Metric>& registry<Metric>();  // metrics/table.cpp

// A metric is listed and reported as NAME or NAME?option=value&option=value. ConfigError begins with `path`.
std::shared_ptr<Metric> make_metric(const std::string& reference, const std::string& path = "metric");
// That text for a metric of a recipe: the text itself, or {"name": …, options}.
std::string metric_reference(const Json& json, const std::string& path);

}  // namespace vaetl
