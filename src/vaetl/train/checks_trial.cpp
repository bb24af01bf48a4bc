// What one forward and backward pass shows, after which everything is as it was.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>

#include "vaetl/core/random.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/train/checks.hpp"

namespace vaetl {
namespace {

// Schedules of terms are looked at half way: a weight that warms up from 0, or fades to it, is not a missing gradient.
constexpr double trial_progress = 0.5;

// Values, modes, wishes for gradients and gradients of a module, as they were when this was made. An objective may clip
// weights, so parameters are kept as well as buffers.
class Restore {
 public:
  explicit Restore(torch::nn::Module& module) {
    for (const auto& parameter : module.parameters()) {
      keep(parameter);
      wanted_.emplace_back(parameter, parameter.requires_grad());
    }
    for (const auto& buffer : module.buffers()) keep(buffer);
    for (const auto& each : module.modules()) modes_.emplace_back(each, each->is_training());
  }
  ~Restore() {
    const at::NoGradGuard no_grad;
    for (auto& [tensor, value] : values_) tensor.copy_(value);
    for (auto& [parameter, wanted] : wanted_) {
      parameter.mutable_grad().reset();
      parameter.requires_grad_(wanted);
    }
    for (auto& [module, training] : modes_) module->train(training);
  }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

 private:
  void keep(const at::Tensor& tensor) { values_.emplace_back(tensor, tensor.detach().clone()); }
  std::vector<std::pair<at::Tensor, at::Tensor>> values_;
  std::vector<std::pair<at::Tensor, bool>> wanted_;
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> modes_;
};

// The loss before training of a classifier that knows nothing is ln K.
void check_guess(const TrainingStart& start, Pass& pass, std::vector<std::string>& lines) {
  const auto fields = start.objective.needs().fields;
  const bool reads = std::count(fields.begin(), fields.end(), "target") > 0;
  if (!reads || !offers(start.model, Classifier::capability) || !start.example.contains("train")) return;
  const at::Tensor& target = pass.fields().target();
  if (target.dim() != 1 || !at::isIntegralType(target.scalar_type(), /*includeBool=*/false)) return;
  const at::NoGradGuard no_grad;
  const at::Tensor logits = pass.logits();
  if (logits.dim() != 2 || logits.size(0) != target.size(0)) return;
  const double loss = at::cross_entropy_loss(logits, target).item<double>();
  const double guess = std::log(static_cast<double>(logits.size(1)));
  if (!std::isfinite(loss) || loss <= 2 * guess + 0.5) return;
  lines.push_back(
      fmt::format("the cross-entropy before training is {:.3g}, far above ln {} = {:.3g} of a guess; normalise the "
                  "inputs, or look at the initial weights",
                  loss, logits.size(1), guess));
}

// Largest gradient of every layer group that an update trains.
using Largest = std::map<std::string, double>;

void note_gradients(const TrainingStart& start, const std::vector<ParameterSet>& sets, Largest& largest) {
  const at::NoGradGuard no_grad;
  std::vector<std::string> groups;
  std::vector<at::Tensor> values;
  for (const ParameterSet& set : sets) {
    for (std::size_t i = 0; i < set.parameters.size(); ++i) {
      if (set.names[i].starts_with("objective.")) continue;
      const std::string group = group_of(start.model, set.names[i]);
      largest.emplace(group, 0);
      const at::Tensor& gradient = set.parameters[i].grad();
      if (!gradient.defined() || gradient.numel() == 0) continue;
      groups.push_back(group);
      values.push_back(gradient.abs().max().to(at::kFloat));
    }
  }
  if (values.empty()) return;
  const at::Tensor read = at::stack(values).to(at::kCPU);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const double value = read[static_cast<std::int64_t>(i)].item<double>();
    if (!(value <= largest[groups[i]])) largest[groups[i]] = value;  // NaN is a gradient too
  }
}

std::optional<std::string> loss_line(const Terms& terms) {
  for (const auto& [name, value] : terms.minimised()) {
    const double loss = value.item<double>();
    if (!std::isfinite(loss))
      return fmt::format("the first loss is not finite: {}; look at the data and the weights", name);
  }
  return std::nullopt;
}

void run_updates(const TrainingStart& start, bool odd_inputs, std::vector<std::string>& lines) {
  Largest largest;
  bool finite = true;
  for (std::size_t i = 0; i < start.updates.size(); ++i) {
    for (const ParameterSet& set : start.sets[i]) {
      for (auto parameter : set.parameters) parameter.requires_grad_(true).mutable_grad().reset();
    }
    seed(random_key(start.options.seed, Purpose::noise, 0, 0, static_cast<std::int64_t>(i)));
    Pass pass(start.model, start.example, {.progress = trial_progress, .first_in_epoch = true, .span = start.span});
    const Terms terms = start.objective.backward(i, pass);
    const auto not_finite = loss_line(terms);
    if (not_finite && std::exchange(finite, false) && !odd_inputs) lines.push_back(*not_finite);
    if (i == 0 && !odd_inputs) check_guess(start, pass, lines);
    note_gradients(start, start.sets[i], largest);
    for (const ParameterSet& set : start.sets[i]) {
      for (auto parameter : set.parameters) parameter.requires_grad_(false).mutable_grad().reset();
    }
  }
  for (const auto& [group, value] : largest) {
    if (value != 0 || !finite) continue;
    lines.push_back(
        fmt::format("layer group \"{}\" should train and gets no gradient from the first batch; freeze it, "
                    "or look at the objective",
                    group));
  }
}

struct ValueRange {
  double low = 0, high = 0;
  double span() const { return high - low; }
};

ValueRange range_of(const at::Tensor& values) { return {values.min().item<double>(), values.max().item<double>()}; }

// What the model makes of noise that is `scale` times as large as usual; undefined where it makes nothing like its
// input.
at::Tensor made_from(const TrainingStart& start, double scale) {
  constexpr std::int64_t most = 16;
  const Fields& fields = start.example.find("train")->second;
  const std::int64_t count = std::min(most, fields.size());
  at::Tensor condition = condition_of(start.model, fields);
  if (condition.defined()) condition = condition.slice(0, 0, count);
  auto random = make_generator(random_key(start.options.seed, Purpose::evaluate));
  const auto noise = [&](std::int64_t size) {
    return (at::randn({count, size}, random, at::TensorOptions()) * scale).to(device_of(start.model));
  };
  if (auto* generator = dynamic_cast<Generator*>(&start.model)) {
    return generator->generate(noise(generator->noise_size()), condition);
  }
  auto* decoder = dynamic_cast<Decoder*>(&start.model);
  return decoder ? decoder->decode(noise(decoder->latent_size()), condition)->mean() : at::Tensor();
}

// A range that ten times the noise does not widen is the model's: that of a sigmoid or tanh.
void check_range(const TrainingStart& start, std::vector<std::string>& lines) {
  const auto train = start.example.find("train");
  if (train == start.example.end() || !train->second.has("input")) return;
  const at::Tensor& input = train->second.input();
  if (!input.is_floating_point() || input.numel() == 0 || offers(start.model, SequenceModel::capability)) return;
  const at::NoGradGuard no_grad;
  start.model.eval();
  const at::Tensor much = made_from(start, 100), more = made_from(start, 1000);
  if (!much.defined() || !much.is_floating_point() || much.sizes().slice(1) != input.sizes().slice(1)) return;
  const ValueRange made = range_of(much), wider = range_of(more), data = range_of(input);
  if (!(wider.span() < 1.2 * made.span()) || made.span() == 0) return;  // no bounds
  const double slack = 0.05 * wider.span();
  const bool outside = data.low < wider.low - slack || data.high > wider.high + slack;
  if (!outside && data.span() > 0.6 * wider.span()) return;
  lines.push_back(
      fmt::format("the model makes values from {:.3g} to {:.3g}, the data go from {:.3g} to {:.3g}; scale them to its "
                  "range, or choose another output",
                  wider.low, wider.high, data.low, data.high));
}

}  // namespace

std::vector<std::string> find_mistakes_in_trial(const TrainingStart& start, bool odd_inputs) {
  std::vector<std::string> lines;
  const Restore model(start.model), objective(start.objective);
  run_updates(start, odd_inputs, lines);
  check_range(start, lines);
  return lines;
}

}  // namespace vaetl
