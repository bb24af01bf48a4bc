// What options and data alone show.
#include "vaetl/train/checks.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/isfinite.h>

#include <unordered_set>

#include "vaetl/core/text.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/train/find_rate.hpp"
#include "vaetl/train/session.hpp"

namespace vaetl {
namespace {

using Lines = std::vector<std::string>;

constexpr double far_off = 10;       // of a mean from 0, or a deviation from 1: what was standardised stays below
constexpr double hardly_any = 0.01;  // deviation of the column that varies most
constexpr std::int64_t sampled_bytes = std::int64_t{1} << 24;

bool reads_target(const TrainingStart& start) {
  const auto fields = start.objective.needs().fields;
  return std::count(fields.begin(), fields.end(), "target") > 0;
}

const Stream& first_stream(const TrainingStart& start) { return start.data.streams.front(); }

const Fields& first_fields(const TrainingStart& start) { return start.example.find(first_stream(start).name)->second; }

void check_rate(const TrainingStart& start, Lines& lines) {
  const auto& options = start.options;
  const auto factor = [&](double progress) { return options.lr_curve.at(progress, start.span); };
  const bool curve = factor(0) == 0 && factor(0.5) == 0 && factor(1) == 0;
  if (learning_rate(options.optimizer) == 0 || curve) {
    lines.push_back("the learning rate is 0, so no weight will change; set trainer.optimizer.lr");
    return;
  }
  for (const auto& [group, tuning] : start.tuning) {
    if (!tuning.train || tuning.lr_scale != 0) continue;
    lines.push_back(fmt::format("layer group \"{}\" trains at rate 0 (lr_scale); freeze it instead", group));
  }
}

void check_batch_size(const TrainingStart& start, Lines& lines) {
  const Stream& stream = first_stream(start);
  const std::int64_t batch = stream.batch_size > 0 ? stream.batch_size : start.options.batch_size;
  if (stream.order == "lanes" || batch <= stream.data.size()) return;
  lines.push_back(fmt::format(
      "batches of {} are larger than the set of {} examples, so each step sees all of them; set trainer.batch_size to "
      "{} or less",
      thousands(batch), thousands(stream.data.size()), thousands(stream.data.size())));
}

// Mean and deviation of each channel (N, C, H, W), column (N, F) or value of a step (N, T, F): the worst of them.
struct Spread {
  double mean = 0, deviation = 1;  // of the column that is furthest off
  double most = 0;                 // the largest deviation
  std::int64_t column = 0, columns = 1;
  bool far() const { return std::abs(mean) > far_off || deviation > far_off; }
};

Spread spread_of(const at::Tensor& values) {
  const std::int64_t last = values.dim() - 1;
  const at::Tensor rows =
      values.dim() <= 1 ? values.reshape({-1, 1}) : values.movedim(values.dim() == 3 ? last : 1, -1).flatten(0, -2);
  const at::Tensor mean = rows.mean(0).to(at::kCPU, at::kDouble);
  const at::Tensor deviation = rows.std(0, /*unbiased=*/false).to(at::kCPU, at::kDouble);
  const at::Tensor worst = at::maximum(mean.abs(), deviation);
  Spread spread{
      .most = deviation.max().item<double>(), .column = worst.argmax().item<std::int64_t>(), .columns = worst.numel()};
  spread.mean = mean[spread.column].item<double>();
  spread.deviation = deviation[spread.column].item<double>();
  return spread;
}

std::string where_in(const Spread& spread) {
  return spread.columns == 1 ? "" : fmt::format(" in column or channel {}", spread.column);
}

void check_inputs(const TrainingStart& start, Lines& lines) {
  const Fields& fields = first_fields(start);
  if (!fields.has("input") || !fields.input().is_floating_point() || fields.input().numel() == 0) return;
  if (!at::isfinite(fields.input()).all().item<bool>()) {
    lines.push_back("the inputs of the first batch hold NaN or infinity; fill or drop them in data.preprocess");
    return;
  }
  const Spread spread = spread_of(fields.input());
  if (spread.far()) {
    lines.push_back(
        fmt::format("the inputs are not normalised: mean {:.3g} and deviation {:.3g}{}; add \"standardise\" or "
                    "\"scale\" to data.preprocess",
                    spread.mean, spread.deviation, where_in(spread)));
  } else if (spread.most < hardly_any && fields.input().size(0) > 1) {
    lines.push_back(
        fmt::format("the inputs hardly vary: no column or channel has a deviation above {:.2g}; are they "
                    "scaled twice?",
                    spread.most));
  }
}

void check_targets(const TrainingStart& start, Lines& lines) {
  const Fields& fields = first_fields(start);
  if (!reads_target(start) || !offers(start.model, Regressor::capability)) return;
  if (!fields.has("target") || !fields.target().is_floating_point() || fields.target().numel() == 0) return;
  const Spread spread = spread_of(fields.target());
  if (!spread.far()) return;
  lines.push_back(
      fmt::format("the targets are not standardised: mean {:.3g} and deviation {:.3g}{}; add {{\"name\": "
                  "\"standardise\", \"field\": \"target\"}} to data.preprocess",
                  spread.mean, spread.deviation, where_in(spread)));
}

// Whether the first stream has a label an example, which the objective reads.
bool has_labels(const TrainingStart& start) {
  const auto& fields = first_stream(start).data.info().fields;
  const auto found = fields.find("target");
  return reads_target(start) && found != fields.end() && found->second.shape.empty() &&
         at::isIntegralType(found->second.dtype, /*includeBool=*/false);
}

void check_labels_vary(const TrainingStart& start, Lines& lines) {
  const Dataset& data = first_stream(start).data;
  if (!has_labels(start) || data.size() < 2) return;
  const at::Tensor all = data.column("target");
  const at::Tensor batch = first_fields(start).target();
  if (all.min().equal(all.max())) {
    lines.push_back(fmt::format("every label is {}, so there is nothing to tell apart; look at data and take_per_class",
                                all[0].item<std::int64_t>()));
  } else if (batch.numel() >= 8 && batch.min().equal(batch.max())) {
    lines.push_back("the first batch holds examples of one class alone; shuffle them (data.order)");
  }
}

void check_classes(const TrainingStart& start, Lines& lines) {
  constexpr std::size_t most_named = 5;
  const auto* classifier = dynamic_cast<const Classifier*>(&start.model);
  const Dataset& data = first_stream(start).data;
  if (classifier == nullptr || !has_labels(start) || data.size() < classifier->classes()) return;
  const at::Tensor labels = data.column("target").to(at::kCPU, at::kLong);
  if (labels.min().item<std::int64_t>() < 0) return;
  const at::Tensor counts = at::bincount(labels, {}, classifier->classes());
  const at::Tensor missing = counts.eq(0).nonzero().flatten();
  if (missing.numel() == 0 || missing.numel() == counts.numel() - 1) return;  // one class alone is told by itself
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < missing.numel() && names.size() < most_named; ++i) {
    names.push_back(std::to_string(missing[i].item<std::int64_t>()));
  }
  lines.push_back(fmt::format("{} of the model's {} classes have no example to learn from ({}{}); is the set whole?",
                              missing.numel(), classifier->classes(), join(names),
                              missing.numel() > std::ssize(names) ? ", …" : ""));
}

// Evenly spread over the set, in few enough bytes; empty where reading would decode files.
at::Tensor sample_of(const Dataset& data, std::int64_t most) {
  const auto found = data.info().fields.find("input");
  if (data.decodes() || found == data.info().fields.end() || data.size() == 0) return at::arange(0, at::kLong);
  const std::int64_t bytes = static_cast<std::int64_t>(c10::elementSize(found->second.dtype)) *
                             std::max<std::int64_t>(1, c10::multiply_integers(found->second.shape));
  const std::int64_t count = std::min({data.size(), most, std::max<std::int64_t>(1, sampled_bytes / bytes)});
  return (at::arange(count, at::kLong) * data.size()).floor_divide(count);
}

// Of tables as they are stored: a category that a batch lacks is nothing odd, a column without a second value is.
void check_columns(const TrainingStart& start, Lines& lines) {
  constexpr std::int64_t enough = 64, rows = 1024;
  const Dataset& data = first_stream(start).data;
  const auto found = data.info().fields.find("input");
  if (found == data.info().fields.end() || found->second.shape.size() != 1) return;
  if (!at::isFloatingType(found->second.dtype)) return;
  const at::Tensor index = sample_of(data, rows);
  if (index.numel() < enough) return;
  const at::Tensor input = data.gather(index).input();
  const at::Tensor still = input.amax(0).eq(input.amin(0)).nonzero().flatten();
  const std::int64_t count = still.numel(), columns = input.size(1);
  if (count == 0 || count > columns / 2) return;  // wide sparse tables have rare columns
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(count, 5); ++i) {
    names.push_back(std::to_string(still[i].item<std::int64_t>()));
  }
  lines.push_back(
      fmt::format("{} of {} input columns never vary in {} examples ({}{}), so they tell nothing; drop them", count,
                  columns, thousands(index.numel()), join(names), count > 5 ? ", …" : ""));
}

std::vector<std::size_t> row_hashes(const Dataset& data, const at::Tensor& index) {
  const at::Tensor rows = data.gather(index).input().contiguous();
  const auto count = static_cast<std::size_t>(rows.size(0));
  const std::size_t bytes = rows.nbytes() / std::max<std::size_t>(1, count);
  const auto* start = static_cast<const char*>(rows.const_data_ptr());
  std::vector<std::size_t> hashes;
  for (std::size_t i = 0; i < count; ++i) hashes.push_back(std::hash<std::string_view>{}({start + i * bytes, bytes}));
  return hashes;
}

// From a sample of both: of V validation examples that all are trained on, V·share are found among a share of the set.
void check_validation(const TrainingStart& start, Lines& lines) {
  constexpr double told = 0.25, expected = 8;  // equal rows by chance, in tables and texts, stay below a quarter
  if (!start.data.validation) return;
  const Dataset& train = first_stream(start).data;
  const at::Tensor trained = sample_of(train, 4096), held = sample_of(*start.data.validation, 512);
  if (trained.numel() == 0 || held.numel() == 0) return;
  const double share = static_cast<double>(trained.numel()) / static_cast<double>(train.size());
  if (share < 1 && share * static_cast<double>(held.numel()) < expected) return;
  const auto known = row_hashes(train, trained);
  const std::unordered_set<std::size_t> seen(known.begin(), known.end());
  const auto asked = row_hashes(*start.data.validation, held);
  const auto same = std::count_if(asked.begin(), asked.end(), [&](std::size_t hash) { return seen.contains(hash); });
  const double estimate = static_cast<double>(same) / static_cast<double>(held.numel()) / share;
  if (estimate < told) return;
  lines.push_back(
      fmt::format("about {:.0f} % of the validation examples are trained on as well, so validation flatters; hold out "
                  "others",
                  100 * std::min(1.0, estimate)));
}

}  // namespace

DataMistakes find_mistakes_in_data(const TrainingStart& start) {
  DataMistakes found;
  check_rate(start, found.lines);
  check_batch_size(start, found.lines);
  const std::size_t before = found.lines.size();
  check_inputs(start, found.lines);
  found.odd_inputs = found.lines.size() > before;
  check_columns(start, found.lines);
  check_labels_vary(start, found.lines);
  check_classes(start, found.lines);
  check_targets(start, found.lines);
  check_validation(start, found.lines);
  return found;
}

std::vector<std::string> find_mistakes(const TrainingStart& start) {
  DataMistakes found = find_mistakes_in_data(start);
  for (std::string& line : find_mistakes_in_trial(start, found.odd_inputs)) found.lines.push_back(std::move(line));
  return found.lines;
}

void Session::check() {
  const Batch example = feed_->at(0, 0);
  run_.warnings = find_mistakes(
      {options_, task_.data, *task_.model, *task_.objective, example, updates_, sets_, tuning_now_, span()});
  for (const std::string& line : run_.warnings) tell("warning: " + line);
}

}  // namespace vaetl
