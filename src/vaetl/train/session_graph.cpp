// Session: steps that are captured as graphs of the device. The first ones of a kind run as they are, so that libraries
// and optimisers are set up; the last of these is watched for what cannot be captured; then it is captured, and from
// then on replayed. What the host does in a step is told in replay().
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/stack.h>

#include "vaetl/core/random.hpp"
#include "vaetl/train/session.hpp"

namespace vaetl {
namespace {

constexpr int warm_ups = 3;
constexpr std::ptrdiff_t most_captured = 8;  // kinds of steps: each keeps its graphs' memory
constexpr std::size_t most_kinds = 64;

void append(const at::Tensor& tensor, CapturedStep::Kind& kind) {
  kind.push_back(static_cast<std::int64_t>(tensor.scalar_type()));
  kind.insert(kind.end(), tensor.sizes().begin(), tensor.sizes().end());
}

std::vector<at::Tensor> tensors_of(const std::vector<Batch>& batches) {
  std::vector<at::Tensor> result;
  for (const Batch& batch : batches) {
    for (const auto& [stream, fields] : batch) {
      for (const auto& [name, tensor] : fields) result.push_back(tensor);
    }
  }
  return result;
}

std::vector<Batch> copies(const std::vector<Batch>& batches) {
  std::vector<Batch> result = batches;
  for (Batch& batch : result) {
    for (auto& [stream, fields] : batch) {
      for (const std::string& name : fields.keys()) fields.set(name, fields[name].clone());
    }
  }
  return result;
}

[[noreturn]] void refuse(const std::string& found) {
  throw DeviceError({"trainer.graph", "a step that can be captured", found, "set trainer.graph to off"});
}

}  // namespace

void Session::prepare_graphs() {
  if (options_.graph == "off") return;
  auto graphs = make_device_graphs(device_of(*task_.model));
  if (!graphs) return;
  for (const auto& optimizer : optimizers_) {
    if (optimizer->evaluates_again()) return tell("no graph of the step: the optimiser evaluates a batch again");
  }
  graphs_ = std::move(graphs);
  divided_.clear();
  for (const auto& optimizer : optimizers_) divided_.push_back(optimizer->divide(true));
}

void Session::graph_step(const std::vector<Batch>& batches, std::int64_t epoch, std::int64_t step_in_epoch) {
  CapturedStep::Kind kind = {step_in_epoch == 0};
  for (std::size_t i = 0; i < updates_.size(); ++i) kind.push_back(due(i));
  for (const at::Tensor& tensor : tensors_of(batches)) append(tensor, kind);
  const auto run = [&] { graphs_->run([&] { all_updates(batches, epoch, step_in_epoch); }); };
  if (captured_.size() == most_kinds && !captured_.contains(kind)) return run();
  CapturedStep& step = captured_[kind];
  if (step.warmed_up < warm_ups) return warm_up(step, batches, epoch, step_in_epoch);
  const auto captured = [](const auto& entry) { return !entry.second.layouts.empty(); };
  const bool no_room = std::count_if(captured_.begin(), captured_.end(), captured) >= most_captured;
  if (step.layouts.empty() && no_room) return run();
  if (step.layouts != layouts()) capture(step, batches, epoch, step_in_epoch);
  replay(step, batches, epoch, step_in_epoch);
}

void Session::warm_up(CapturedStep& step, const std::vector<Batch>& batches, std::int64_t epoch,
                      std::int64_t step_in_epoch) {
  const auto run = [&] { graphs_->run([&] { all_updates(batches, epoch, step_in_epoch); }); };
  if (++step.warmed_up < warm_ups) return run();
  begin_capture(step);
  run();
  end_capture();
  if (step.values.read_by_host()) obstacle_ = "reads Pass::progress(), a number of the host's";
  if (obstacle_.empty()) return;
  tell("no graph of the step: it " + obstacle_);
  for (const auto& optimizer : optimizers_) optimizer->divide(false);
  captured_.clear();
  graphs_.reset();
}

void Session::capture(CapturedStep& step, const std::vector<Batch>& batches, std::int64_t epoch,
                      std::int64_t step_in_epoch) {
  step.batches = copies(batches);
  step.updates.clear();
  step.updates.reserve(updates_.size());
  begin_capture(step);
  try {
    for (std::size_t i = 0; i < updates_.size(); ++i) {
      if (!due(i)) continue;
      capturing_ = &step.updates.emplace_back(CapturedUpdate{.index = i});
      update(i, step.batches, epoch, step_in_epoch);
    }
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    refuse(text.substr(0, text.find('\n')));
  }
  end_capture();
  if (!step.values.same_as_first_round()) refuse("one that reads other schedules each time");
  if (step.values.read_by_host()) refuse("one that reads Pass::progress() at times");
  step.layouts = layouts();
}

void Session::begin_capture(CapturedStep& step) {
  values_ = &step.values;
  values_->begin_round();
}

void Session::end_capture() {
  values_ = nullptr;
  capturing_ = nullptr;
}

// In place of the optimiser's step and of the ledger's entry.
void Session::capture_end(const std::vector<Terms>& terms) {
  CapturedUpdate& to = *capturing_;
  to.labels = labels_of(terms);
  optimizers_[to.index]->settle();
  to.end = graphs_->capture([&] {
    const at::NoGradGuard no_grad;
    if (divided_[to.index]) optimizers_[to.index]->compute();
    to.terms = at::stack(values_of(terms));
  });
  if (divided_[to.index]) return;
  for (const at::Tensor& parameter : working_[to.index].parameters) to.gradients.push_back(parameter.grad());
}

void Session::replay(CapturedStep& step, const std::vector<Batch>& batches, std::int64_t epoch,
                     std::int64_t step_in_epoch) {
  const at::NoGradGuard no_grad;
  at::_foreach_copy_(tensors_of(step.batches), tensors_of(batches));
  step.values.set(progress(), span());
  for (const CapturedUpdate& update : step.updates) {
    for (std::size_t i = 0; i < update.batches.size(); ++i) {
      seed(noise_key(update.index, epoch, step_in_epoch, i));
      update.batches[i]->replay();
    }
    if (divided_[update.index]) optimizers_[update.index]->advance(rate());
    update.end->replay();
    if (!divided_[update.index]) step_outside(update);
    ledger_.record(step_, update.labels, update.terms.clone());
  }
}

void Session::step_outside(const CapturedUpdate& update) {
  const auto& parameters = working_[update.index].parameters;
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].mutable_grad() = update.gradients[i];
  optimizers_[update.index]->step(rate());
  for (const at::Tensor& parameter : parameters) parameter.mutable_grad().reset();
}

std::vector<std::int64_t> Session::layouts() const {
  std::vector<std::int64_t> result;
  for (const auto& optimizer : optimizers_) result.push_back(optimizer->layout());
  return result;
}

}  // namespace vaetl
