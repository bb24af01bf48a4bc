#include "vaetl/train/optimizers/lbfgs.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "vaetl/train/optimizers/line_search.hpp"

namespace vaetl::optim {
namespace {

constexpr double least_curvature = 1e-10;  // of y·s, below which a pair says nothing

double largest(const at::Tensor& values) { return values.abs().max().item<double>(); }
double along(const at::Tensor& a, const at::Tensor& b) { return a.dot(b).item<double>(); }

[[noreturn]] void throw_not_lbfgs(const std::string& found) {
  throw FileError({"checkpoint", "the state of lbfgs", found, "this is a checkpoint of another optimiser"});
}

std::vector<std::string> names_in_order(const std::map<std::string, at::Tensor>& state) {
  constexpr std::string_view prefix = "order/";
  std::map<std::int64_t, std::string> order;
  for (const auto& [key, place] : state) {
    if (key.starts_with(prefix) && place.numel() == 1) order[place.item<std::int64_t>()] = key.substr(prefix.size());
  }
  std::vector<std::string> result;
  for (const auto& [place, name] : order) result.push_back(name);
  return result;
}

}  // namespace

void Lbfgs::set_parameters(std::vector<ParameterSet> sets) {
  names_.clear();
  parameters_.clear();
  lr_scale_ = sets.empty() ? 1 : sets.front().lr_scale;
  for (const ParameterSet& set : sets) {
    if (set.lr_scale != lr_scale_) {
      throw ConfigError({"lbfgs", "one learning rate for all layer groups",
                         fmt::format("factors {} and {}", lr_scale_, set.lr_scale),
                         "leave lr_scale out of the tuning"});
    }
    names_.insert(names_.end(), set.names.begin(), set.names.end());
    parameters_.insert(parameters_.end(), set.parameters.begin(), set.parameters.end());
  }
}

at::Tensor Lbfgs::flat_gradient() const {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& p : parameters_) {
    parts.push_back((p.grad().defined() ? p.grad() : at::zeros_like(p)).reshape({-1}));
  }
  return at::cat(parts);
}

at::Tensor Lbfgs::flat_weights() const {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& p : parameters_) parts.push_back(p.reshape({-1}));
  return at::cat(parts);
}

void Lbfgs::write(const at::Tensor& weights) const {
  std::int64_t start = 0;
  for (const at::Tensor& p : parameters_) {
    p.copy_(weights.narrow(0, start, p.numel()).view(p.sizes()));
    start += p.numel();
  }
}

bool Lbfgs::any_gradient() const {
  return std::any_of(parameters_.begin(), parameters_.end(), [](const at::Tensor& p) { return p.grad().defined(); });
}

void Lbfgs::remember(const at::Tensor& gradient) {
  Memory& m = memory_;
  const at::Tensor change = gradient - m.gradient, step = m.direction * m.t;
  const double curvature = along(change, step);
  if (curvature <= least_curvature) return;
  if (m.pairs.size() == static_cast<std::size_t>(options_.history)) m.pairs.erase(m.pairs.begin());
  m.pairs.push_back({change, step, 1 / curvature});
  m.scale = curvature / along(change, change);
}

void Lbfgs::turn(const at::Tensor& gradient) {
  Memory& m = memory_;
  at::Tensor d = gradient.neg();
  if (m.iterations++ > 0) {
    remember(gradient);
    std::vector<double> shares(m.pairs.size());
    for (std::size_t i = m.pairs.size(); i-- > 0;) {
      shares[i] = along(m.pairs[i].step, d) * m.pairs[i].inverse;
      d.add_(m.pairs[i].change, -shares[i]);
    }
    d.mul_(m.scale);
    for (std::size_t i = 0; i < m.pairs.size(); ++i) {
      d.add_(m.pairs[i].step, shares[i] - along(m.pairs[i].change, d) * m.pairs[i].inverse);
    }
  }
  m.direction = d;
  m.gradient = gradient;
}

void Lbfgs::step(double scale, const Evaluation& evaluation) {
  if (!any_gradient()) return;
  Memory& m = memory_;
  at::Tensor gradient = flat_gradient();
  if (m.names != names_ || m.gradient.numel() != gradient.numel()) m = {.names = names_, .gradient = gradient};
  const double lr = options_.lr * lr_scale_ * scale;
  const std::int64_t most = options_.evaluations > 0 ? options_.evaluations : options_.iterations * 5 / 4;
  double loss = evaluation.loss.item<double>();
  std::int64_t evaluations = 1;
  bool ends = largest(gradient) <= options_.tolerance_grad;
  for (std::int64_t i = 1; !ends; ++i) {
    turn(gradient);
    m.t = m.iterations == 1 ? std::min(1.0, 1 / gradient.abs().sum().item<double>()) * lr : lr;
    const double slope = along(gradient, m.direction), before = loss;
    if (slope > -options_.tolerance_change) break;
    const at::Tensor weights = flat_weights();
    const auto at_length = [&](double t) {
      write(weights.add(m.direction, t));
      const double value = evaluation.again().item<double>();
      const at::Tensor found = flat_gradient();
      return Trial{t, value, along(found, m.direction), found};
    };
    const LineSearch search{at_length, largest(m.direction), most - evaluations, options_.tolerance_change};
    const Found found = strong_wolfe(search, {0, loss, slope, gradient}, m.t);
    m.t = found.trial.t;
    write(weights.add(m.direction, m.t));
    loss = found.trial.loss;
    gradient = found.trial.gradient;
    evaluations += found.evaluations;
    ends = i == options_.iterations || evaluations >= most || largest(gradient) <= options_.tolerance_grad ||
           search.reach * std::abs(m.t) <= options_.tolerance_change ||
           std::abs(loss - before) < options_.tolerance_change;
  }
}

std::map<std::string, at::Tensor> Lbfgs::state() const {
  const Memory& m = memory_;
  std::map<std::string, at::Tensor> result;
  if (m.iterations == 0) return result;
  for (std::size_t i = 0; i < m.names.size(); ++i) {
    result["order/" + m.names[i]] = at::full({}, static_cast<std::int64_t>(i), at::kLong);
  }
  std::vector<double> numbers = {m.t, m.scale, static_cast<double>(m.iterations)};
  std::vector<at::Tensor> changes, steps;
  for (const Pair& pair : m.pairs) {
    numbers.push_back(pair.inverse);
    changes.push_back(pair.change);
    steps.push_back(pair.step);
  }
  result["flat/numbers"] = at::tensor(numbers, at::kDouble);
  result["flat/direction"] = m.direction;
  result["flat/gradient"] = m.gradient;
  if (!m.pairs.empty()) result["flat/changes"] = at::stack(changes);
  if (!m.pairs.empty()) result["flat/steps"] = at::stack(steps);
  return result;
}

void Lbfgs::load_state(const std::map<std::string, at::Tensor>& state) {
  memory_ = {};
  if (state.empty()) return;
  const auto flat = [&](const std::string& key) {
    const auto found = state.find("flat/" + key);
    if (found == state.end()) throw_not_lbfgs("no \"flat/" + key + "\"");
    return found->second;
  };
  Memory& m = memory_;
  const at::Tensor numbers = flat("numbers").to(at::kCPU, at::kDouble).contiguous();
  const std::int64_t pairs = numbers.numel() - 3;
  if (pairs < 0) throw_not_lbfgs("fewer than three numbers");
  const double* values = numbers.const_data_ptr<double>();
  m.t = values[0];
  m.scale = values[1];
  m.iterations = static_cast<std::int64_t>(values[2]);
  m.direction = flat("direction");
  m.gradient = flat("gradient");
  if (m.direction.dim() != 1 || m.gradient.sizes() != m.direction.sizes()) throw_not_lbfgs("vectors of another size");
  if (pairs > 0) {
    const at::Tensor changes = flat("changes"), steps = flat("steps");
    if (changes.dim() != 2 || changes.size(0) != pairs || changes.size(1) != m.direction.numel() ||
        steps.sizes() != changes.sizes()) {
      throw_not_lbfgs("pairs of another size");
    }
    for (std::int64_t i = 0; i < pairs; ++i) m.pairs.push_back({changes[i], steps[i], values[3 + i]});
  }
  m.names = names_in_order(state);
}

}  // namespace vaetl::optim
