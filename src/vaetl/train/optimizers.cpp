#include "vaetl/train/optimizers.hpp"

#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>

namespace vaetl {

template <>
Registry<Optimizer>& registry<Optimizer>() {
  static Registry<Optimizer> table =
      Registry<Optimizer>("optimizer").add<optim::Sgd>().add<optim::Adam>().add<optim::AdamW>();
  return table;
}

namespace optim {
namespace {

[[noreturn]] void throw_state(const std::string& key) {
  throw FileError({"checkpoint", "optimiser state as first/NAME, second/NAME, steps/NAME or momentum/NAME",
                   "\"" + key + "\"", "this is a checkpoint of another optimiser"});
}

std::pair<std::string, std::string> split_key(const std::string& key) {
  const auto slash = key.find('/');
  if (slash == std::string::npos) throw_state(key);
  return {key.substr(0, slash), key.substr(slash + 1)};
}

}  // namespace

void Sgd::Options::validate() const {
  if (nesterov && momentum == 0) throw ConfigError({"sgd.nesterov", "a momentum above 0", "0", "set momentum"});
}

void Sgd::update(const ParameterSet& set, double scale) {
  // The kernel initialises every buffer of a call or none: parameters in their first step form a call of their own.
  Lists fresh, known;
  for (std::size_t i = 0; i < set.parameters.size(); ++i) {
    const at::Tensor& parameter = set.parameters[i];
    if (!parameter.grad().defined()) continue;
    const bool first = !momentum_.contains(set.names[i]);
    Lists& lists = first ? fresh : known;
    lists.parameters.push_back(parameter);
    lists.gradients.push_back(parameter.grad());
    if (options_.momentum == 0) continue;
    if (first) momentum_[set.names[i]] = at::zeros_like(parameter);
    lists.momentum.push_back(momentum_.at(set.names[i]));
  }
  const double lr = options_.lr * set.lr_scale * scale, decay = options_.weight_decay * set.weight_decay_scale;
  for (const Lists* l : {&fresh, &known}) {
    if (l->parameters.empty()) continue;
    at::_fused_sgd_(l->parameters, l->gradients, l->momentum, decay, options_.momentum, lr, 0.0, options_.nesterov,
                    false, l == &fresh);
  }
}

std::map<std::string, at::Tensor> Sgd::state() const {
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, tensor] : momentum_) result["momentum/" + name] = tensor;
  return result;
}

void Sgd::load_state(const std::map<std::string, at::Tensor>& state) {
  momentum_.clear();
  for (const auto& [key, tensor] : state) {
    const auto [kind, name] = split_key(key);
    if (kind != "momentum") throw_state(key);
    momentum_[name] = tensor;
  }
}

void AdamBase::update(const ParameterSet& set, double scale) {
  Lists lists;
  std::map<std::int64_t, at::Tensor> counters;
  for (std::size_t i = 0; i < set.parameters.size(); ++i) {
    const at::Tensor& parameter = set.parameters[i];
    if (!parameter.grad().defined()) continue;
    Moments& moments = moments_[set.names[i]];
    if (!moments.first.defined()) {
      moments.first = at::zeros_like(parameter);
      moments.second = at::zeros_like(parameter);
    }
    at::Tensor& counter = counters[++moments.steps];
    if (!counter.defined()) counter = at::full({}, static_cast<double>(moments.steps), parameter.options());
    lists.parameters.push_back(parameter);
    lists.gradients.push_back(parameter.grad());
    lists.first.push_back(moments.first);
    lists.second.push_back(moments.second);
    lists.steps.push_back(counter);
  }
  if (lists.parameters.empty()) return;
  kernel(lists, options_.lr * set.lr_scale * scale, options_.weight_decay * set.weight_decay_scale);
}

std::map<std::string, at::Tensor> AdamBase::state() const {
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, moments] : moments_) {
    result["first/" + name] = moments.first;
    result["second/" + name] = moments.second;
    result["steps/" + name] = at::full({}, moments.steps, at::kLong);
  }
  return result;
}

void AdamBase::load_state(const std::map<std::string, at::Tensor>& state) {
  moments_.clear();
  for (const auto& [key, tensor] : state) {
    const auto [kind, name] = split_key(key);
    Moments& moments = moments_[name];
    if (kind == "first")
      moments.first = tensor;
    else if (kind == "second")
      moments.second = tensor;
    else if (kind == "steps")
      moments.steps = tensor.item<std::int64_t>();
    else
      throw_state(key);
  }
}

void Adam::kernel(const Lists& l, double lr, double weight_decay) {
  at::_fused_adam_(l.parameters, l.gradients, l.first, l.second, {}, l.steps, lr, options().beta1, options().beta2,
                   weight_decay, options().eps, false, false);
}

void AdamW::kernel(const Lists& l, double lr, double weight_decay) {
  at::_fused_adamw_(l.parameters, l.gradients, l.first, l.second, {}, l.steps, lr, options().beta1, options().beta2,
                    weight_decay, options().eps, false, false);
}

}  // namespace optim
}  // namespace vaetl
