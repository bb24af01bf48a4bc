// Session: one optimiser update.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/record_function.h>

#include "vaetl/core/random.hpp"
#include "vaetl/train/host_reads.hpp"
#include "vaetl/train/parameter_sets.hpp"
#include "vaetl/train/session.hpp"

namespace vaetl {
namespace {

void drop_gradients(const std::vector<at::Tensor>& parameters) {
  for (const at::Tensor& parameter : parameters) parameter.mutable_grad().reset();
}

void want_gradients(const std::vector<at::Tensor>& parameters, bool wanted) {
  for (const at::Tensor& parameter : parameters) parameter.requires_grad_(wanted);
}

// From the sum over an update's batches to their mean.
void divide_gradients(const std::vector<at::Tensor>& parameters, std::size_t batches) {
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : parameters) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  if (!gradients.empty()) at::_foreach_div_(gradients, static_cast<double>(batches));
}

at::Tensor mean_loss(const std::vector<Terms>& terms) {
  at::Tensor sum = terms.front().total();
  for (std::size_t i = 1; i < terms.size(); ++i) sum = sum + terms[i].total();
  return terms.size() == 1 ? sum : sum / static_cast<double>(terms.size());
}

}  // namespace

// Another update's backward must leave parameters alone: it finds no gradient wanted and none left over.
void Session::prepare_updates() {
  working_.clear();
  captured_.clear();
  const ClipLimits limits{options_.clip_norm, options_.clip_value, options_.clip_adaptive};
  const auto heads = head_parameters(*task_.model);
  for (std::size_t i = 0; i < updates_.size(); ++i) {
    std::vector<at::Tensor> parameters;
    for (const ParameterSet& set : sets_[i]) {
      parameters.insert(parameters.end(), set.parameters.begin(), set.parameters.end());
    }
    drop_gradients(parameters);
    want_gradients(parameters, updates_.size() == 1);
    optimizers_[i]->set_parameters(sets_[i]);
    working_.push_back({parameters, {limits, sets_[i], heads}, {}});
    if (optimizers_[i]->evaluates_again()) working_.back().before = SavedBuffers(*task_.model, *task_.objective);
  }
}

std::uint64_t Session::noise_key(std::size_t index, std::int64_t epoch, std::int64_t step_in_epoch,
                                 std::size_t batch) const {
  const std::int64_t place = step_in_epoch * options_.accumulate + static_cast<std::int64_t>(batch);
  return random_key(options_.seed, Purpose::noise, epoch, place, static_cast<std::int64_t>(index));
}

// The mean of the batches' gradients, clipped; the terms of each batch.
std::vector<Terms> Session::gradients(std::size_t index, const std::vector<Batch>& batches, std::int64_t epoch,
                                      std::int64_t step_in_epoch) {
  std::vector<Terms> terms;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    piece(noise_key(index, epoch, step_in_epoch, i), [&] {
      Pass pass(*task_.model, batches[i],
                {.progress = progress(),
                 .first_in_epoch = step_in_epoch == 0 && i == 0,
                 .span = span(),
                 .together = batches,
                 .precision = precision(),
                 .ahead = works_ahead(index),
                 .values = values_});
      terms.push_back(task_.objective->backward(index, pass));
      if (i + 1 < batches.size()) return;
      if (autopsy_) autopsy_->look(*task_.model, sets_[index], step_);
      const at::NoGradGuard no_grad;
      if (batches.size() > 1) divide_gradients(working_[index].parameters, batches.size());
      working_[index].clip.apply();
    });
  }
  return terms;
}

void Session::piece(std::uint64_t seed, c10::function_ref<void()> work) {
  if (capturing_) return capturing_->batches.push_back(graphs_->capture(work));
  vaetl::seed(seed);
  if (!values_) return work();
  const HostReads reads;
  work();
  if (obstacle_.empty()) obstacle_ = reads.found();
}

// Not where an update takes several batches, or evaluates one again.
bool Session::works_ahead(std::size_t index) const {
  return updates_[index].ahead && index + 1 < updates_.size() && due(index + 1) && options_.accumulate == 1 &&
         !optimizers_[index]->evaluates_again() && !optimizers_[index + 1]->evaluates_again();
}

void Session::update(std::size_t index, const std::vector<Batch>& batches, std::int64_t epoch,
                     std::int64_t step_in_epoch) {
  const Working& work = working_[index];
  Optimizer& optimizer = *optimizers_[index];
  const bool shared = updates_.size() > 1, again = optimizer.evaluates_again();
  if (shared) want_gradients(work.parameters, true);
  if (works_ahead(index)) want_gradients(working_[index + 1].parameters, true);
  if (again) working_[index].before.save();
  const auto terms = gradients(index, batches, epoch, step_in_epoch);
  if (works_ahead(index)) drop_gradients(working_[index + 1].parameters);  // those of a parameter that both read
  std::optional<SavedBuffers> after;                                       // as the first evaluation left them
  Evaluation evaluation;
  if (again) {
    evaluation.loss = mean_loss(terms);
    evaluation.again = [&] {
      const at::AutoGradMode recording(true);
      if (!after) after.emplace(*task_.model, *task_.objective);
      work.before.restore();
      drop_gradients(work.parameters);
      return mean_loss(gradients(index, batches, epoch, step_in_epoch));
    };
  }
  if (capturing_) {
    capture_end(terms);
  } else {
    RECORD_USER_SCOPE("optimiser");
    const at::NoGradGuard no_grad;
    optimizer.step(rate(), evaluation);
    ledger_.record(step_, terms);
  }
  if (after) after->restore();
  drop_gradients(work.parameters);
  if (shared) want_gradients(work.parameters, false);
}

void Session::prepare_average() {
  const auto skipped = static_cast<std::int64_t>(options_.swa_from * static_cast<double>(steps_));
  const AverageRule rule{options_.ema_decay, options_.swa_from > 0 ? skipped + 1 : 0};
  if (rule.any()) average_.emplace(*task_.model, rule);
}

// At the last step before its validation and checkpoint: both are of what is returned.
void Session::average() {
  if (!average_) return;
  average_->update(step_);
  progress_.averaged = averaged() ? &average_->model() : nullptr;
  if (last()) settle_average();
}

void Session::settle_average() {
  if (!averaged() || !average_->rule().stale_statistics()) return;
  recompute_statistics(average_->model(), *task_.model, *task_.objective, feed_->feed(), options_.seed, span());
}

}  // namespace vaetl
