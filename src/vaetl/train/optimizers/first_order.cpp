#include "vaetl/train/optimizers/first_order.hpp"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/zeros.h>

#include "vaetl/core/signature.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::optim {
namespace {

constexpr const char* steps_key = "steps";

[[noreturn]] void throw_other_optimizer(const std::string& expected, const std::string& found) {
  throw FileError({"checkpoint", "optimiser state as " + expected, found, "this is a checkpoint of another optimiser"});
}

// Kernels walk all tensors of a parameter alike: its state lies in memory as it does.
at::Tensor laid_out_as(const at::Tensor& parameter, const at::Tensor& kept, const std::string& name) {
  if (kept.sizes() != parameter.sizes() || kept.scalar_type() != parameter.scalar_type()) {
    throw FileError({"checkpoint",
                     fmt::format("optimiser state of {} of shape {}", name, shape_text(parameter.sizes().vec())),
                     shape_text(kept.sizes().vec()), "this is a checkpoint of another model"});
  }
  return kept.strides() == parameter.strides() ? kept : at::empty_like(parameter).copy_(kept);
}

}  // namespace

void FirstOrder::set_parameters(std::vector<ParameterSet> sets) {
  sets_ = std::move(sets);
  stale_ = true;
}

void FirstOrder::step(double scale, const Evaluation& /*evaluation*/) {
  settle();
  advance(scale);
  compute();
}

bool FirstOrder::divide(bool wanted) {
  divided_ = wanted && lr().has_value();
  stale_ = true;
  return divided_;
}

void FirstOrder::settle() {
  if (!resolved()) resolve();
}

void FirstOrder::advance(double scale) {
  scale_ = scale;
  for (Work& work : work_) {
    Lists& lists = work.lists;
    ++lists.steps;
    if (counts_) {
      lists.counters.front().fill_(static_cast<double>(lists.steps));
      for (State* state : work.states) ++state->steps;
    }
    if (!divided_) continue;
    const double rate = *lr() * lists.lr_scale * scale;
    if (rate != work.lr) lists.lr.fill_(rate);
    work.lr = rate;
  }
}

void FirstOrder::compute() {
  for (Work& work : work_) {
    Lists& lists = work.lists;
    for (const at::Tensor& parameter : lists.parameters) lists.gradients.push_back(parameter.grad());
    update(lists, scale_);
    lists.gradients.clear();
  }
}

bool FirstOrder::resolved() const {
  if (stale_) return false;
  std::size_t i = 0;
  for (const ParameterSet& set : sets_) {
    for (const at::Tensor& parameter : set.parameters) {
      if (parameter.grad().defined() != static_cast<bool>(present_[i++])) return false;
    }
  }
  return true;
}

void FirstOrder::resolve() {
  work_.clear();
  present_.clear();
  for (const ParameterSet& set : sets_) {
    std::map<std::int64_t, Work> by_steps;
    for (std::size_t i = 0; i < set.parameters.size(); ++i) {
      const at::Tensor& parameter = set.parameters[i];
      present_.push_back(parameter.grad().defined());
      if (!parameter.grad().defined()) continue;
      State& state = state_of(set.names[i], parameter);
      Work& work = by_steps[state.steps];
      work.states.push_back(&state);
      work.lists.parameters.push_back(parameter);
      work.lists.slots.resize(slots_.size());
      for (std::size_t slot = 0; slot < slots_.size(); ++slot) work.lists.slots[slot].push_back(state.slots[slot]);
    }
    for (auto& [steps, work] : by_steps) {
      Lists& lists = work.lists;
      lists.steps = steps;
      lists.lr_scale = set.lr_scale;
      lists.weight_decay_scale = set.weight_decay_scale;
      const auto options = lists.parameters.front().options().dtype(at::kFloat);
      if (divided_) lists.lr = at::zeros({}, options);
      if (counts_) {
        lists.counters.assign(lists.parameters.size(), at::full({}, static_cast<double>(steps), options));
      }
      work_.push_back(std::move(work));
    }
  }
  stale_ = false;
  ++layout_;
}

FirstOrder::State& FirstOrder::state_of(const std::string& name, const at::Tensor& parameter) {
  State& state = states_[name];
  state.slots.resize(slots_.size());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    at::Tensor& slot = state.slots[i];
    slot = slot.defined() ? laid_out_as(parameter, slot, name) : at::full_like(parameter, slots_[i].start);
  }
  return state;
}

std::map<std::string, at::Tensor> FirstOrder::state() const {
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, state] : states_) {
    for (std::size_t i = 0; i < slots_.size(); ++i) result[slots_[i].name + "/" + name] = state.slots[i];
    if (counts_) result[std::string(steps_key) + "/" + name] = at::full({}, state.steps, at::kLong);
  }
  return result;
}

std::size_t FirstOrder::slot_index(const std::string& key, const std::string& slot) const {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].name == slot) return i;
  }
  std::vector<std::string> known;
  for (const Slot& each : slots_) known.push_back(each.name + "/NAME");
  if (counts_) known.push_back(std::string(steps_key) + "/NAME");
  throw_other_optimizer(known.empty() ? "nothing" : join(known), quote(key));
}

void FirstOrder::load_state(const std::map<std::string, at::Tensor>& state) {
  states_.clear();
  stale_ = true;
  for (const auto& [key, tensor] : state) {
    const auto slash = std::min(key.find('/'), key.size());
    const std::string slot = key.substr(0, slash);
    State& mine = states_[key.substr(std::min(slash + 1, key.size()))];
    mine.slots.resize(slots_.size());
    if (counts_ && slot == steps_key && tensor.numel() == 1) {
      mine.steps = tensor.item<std::int64_t>();
    } else {
      mine.slots[slot_index(key, slot)] = tensor;
    }
  }
  for (const auto& [name, mine] : states_) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (!mine.slots[i].defined()) throw_other_optimizer(slots_[i].name + "/" + name, "none");
    }
  }
}

}  // namespace vaetl::optim
