#include "vaetl/metrics/language.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>

#include "vaetl/core/error.hpp"
#include "vaetl/metrics/per_step.hpp"
#include "vaetl/nn/sequence.hpp"

namespace vaetl::metrics {
namespace {

using LanguageState = std::vector<at::Tensor>;

constexpr std::int64_t most_lanes = 16;

Fields rows_of(const Fields& fields, const at::Tensor& rows) {
  Fields result;
  for (const auto& [key, values] : fields) result.set(key, values.index_select(0, rows));
  return result;
}

// The state of the text before, if there is one, and those of the other lanes.
LanguageState beside(const LanguageState& first, const LanguageState& others) {
  LanguageState result;
  for (std::size_t i = 0; i < others.size(); ++i) {
    result.push_back(at::cat({first.empty() ? at::zeros_like(others[i].narrow(1, 0, 1)) : first[i], others[i]}, 1));
  }
  return result;
}

LanguageState last_lane(const LanguageState& state) {
  LanguageState result;
  for (const at::Tensor& part : state) result.push_back(part.narrow(1, part.size(1) - 1, 1));
  return result;
}

}  // namespace

void LanguageScore::add(SequenceModel& model, const Fields& fields, std::vector<at::Tensor>& state) {
  const at::Tensor logits = model.unroll(fields, state);
  const std::string by = fmt::format("metric {}", metric_);
  const at::Tensor lengths = nn::lengths_of(fields, logits.size(1), by);
  const at::Tensor labels = nn::step_labels(fields.target(), logits, lengths, by);
  const at::Tensor each =
      at::cross_entropy_loss(logits.flatten(0, 1), labels.flatten(), {}, at::Reduction::None).view(labels.sizes());
  add_steps(mean_, each, lengths, fields);
}

void LanguageScore::read_lanes(SequenceModel& model, const Fields& fields) {
  const std::int64_t count = fields.size(), lanes = std::min(count, most_lanes), each = count / lanes;
  const at::Tensor starts =
      at::arange(0, lanes * each, each, at::TensorOptions(fields.input().device()).dtype(at::kLong));
  LanguageState state = state_;
  if (lanes > 1) {
    LanguageState others;
    model.unroll(rows_of(fields, starts.narrow(0, 1, lanes - 1) - 1), others);
    state = beside(state_, others);
  }
  for (std::int64_t window = 0; window < each; ++window) add(model, rows_of(fields, starts + window), state);
  state = last_lane(state);
  for (std::int64_t row = lanes * each; row < count; ++row) {
    add(model, rows_of(fields, starts.narrow(0, 0, 1) + row), state);
  }
  state_ = state;
  if (!state_.empty()) return;
  throw ConfigError({fmt::format("metric {}", metric_), "a model that reads one way",
                     "one that reads both ways, and so sees the token that it is to foretell",
                     "set bidirectional to false"});
}

void LanguageScore::update(Pass& pass) {
  auto& model = require<SequenceModel>(pass.model());
  const Fields& fields = pass.fields();
  LanguageState none;
  if (fields.has("length")) return add(model, fields, none);
  read_lanes(model, fields);
}

}  // namespace vaetl::metrics
