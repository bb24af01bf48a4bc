#include "vaetl/zoo/measure.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/train/evaluate.hpp"
#include "vaetl/train/judge.hpp"
#include "vaetl/zoo/entry.hpp"

namespace vaetl::zoo {
namespace {

// Into how many parts the examples fall, and Student's t at 97.5 % for so many less one.
struct IntervalParts {
  std::int64_t count = 0;  // 0: too few examples
  double quantile = 0;
};
IntervalParts parts_for(std::int64_t examples) {
  if (examples >= 100) return {20, 2.0930};
  if (examples >= 40) return {10, 2.2622};
  return {};
}

std::vector<at::Tensor> draw_parts(const Dataset& examples, std::int64_t count) {
  auto generator = make_generator(random_key(0, Purpose::evaluate));
  const bool apart = examples.info().overlap == 0;
  const at::Tensor order =
      apart ? at::randperm(examples.size(), generator, at::kLong) : at::arange(examples.size(), at::kLong);
  return at::tensor_split(order, count);
}

// Metric → its values of every part, in turn; without those of which a part is too small.
std::map<std::string, std::vector<double>> part_values(Model& model, const Dataset& examples,
                                                       const std::vector<std::string>& metrics, std::int64_t count) {
  std::map<std::string, std::vector<double>> values;
  if (metrics.empty()) return values;
  try {
    for (const at::Tensor& part : draw_parts(examples, count)) {
      for (const auto& [name, value] : evaluate(model, examples.select(part), metrics)) values[name].push_back(value);
    }
    return values;
  } catch (const DataError&) {  // of one of them
    if (metrics.size() == 1) return {};
  }
  values.clear();
  for (const auto& metric : metrics) values.merge(part_values(model, examples, {metric}, count));
  return values;
}

std::optional<IntervalCard> interval_of(double value, const std::vector<double>& parts, const IntervalParts& how) {
  double sum = 0, squares = 0;
  for (const double part : parts) sum += part;
  const double count = static_cast<double>(parts.size()), mean = sum / count;
  for (const double part : parts) squares += (part - mean) * (part - mean);
  const double half = how.quantile * std::sqrt(squares / (count - 1) / count);
  if (!std::isfinite(half)) return std::nullopt;
  return IntervalCard{.low = value - half,
                      .high = value + half,
                      .level = 0.95,
                      .method = fmt::format("spread over {} parts of the examples", parts.size())};
}

constexpr std::uint64_t judged_draws = 5;
constexpr double judged_quantile = 2.7764;  // Student's t at 97.5 %, of one draw less

std::map<std::string, MetricCard> judged(Model& model, Model& judge, const Dataset& examples) {
  std::map<std::string, std::vector<double>> draws;
  for (std::uint64_t seed = 0; seed < judged_draws; ++seed) {
    for (const auto& [name, value] : judge_samples(model, judge, examples, seed)) draws[name].push_back(value);
  }
  std::map<std::string, MetricCard> cards;
  for (const auto& [name, values] : draws) {
    const at::Tensor each = at::tensor(values, at::kDouble);
    const double mean = each.mean().item<double>();
    if (!std::isfinite(mean)) continue;
    const double half = judged_quantile * each.std().item<double>() / std::sqrt(static_cast<double>(values.size()));
    cards[name] = {.value = mean,
                   .examples = examples.size(),
                   .interval = IntervalCard{.low = mean - half,
                                            .high = mean + half,
                                            .level = 0.95,
                                            .method = fmt::format("spread over {} draws of samples", values.size())}};
  }
  return cards;
}

struct OpenedSplit {
  Dataset examples;
  std::string name;
  std::optional<Dataset> training;
};

OpenedSplit open_split(const Model& model, const std::string& data, const std::string& split) {
  Reading reading;
  if (!model.preprocess().is_null()) reading.fitted = Preprocess::from_json(model.preprocess()).reader();
  const Splits splits = data::open(data, reading);
  const bool whole = splits.test.size() == 0 && splits.validation.size() == 0;
  const std::string name = !split.empty() ? split : whole ? "train" : "test";
  const std::vector<std::string> names = {"test", "validation", "train"};
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw ConfigError({"split", join(names), quote(name), did_you_mean(name, names)});
  }
  const Dataset& examples = name == "test" ? splits.test : name == "train" ? splits.train : splits.validation;
  if (examples.size() == 0) {
    throw DataError({data, "examples in the split " + quote(name), "none", "choose another split"});
  }
  const bool compares = name != "train" && splits.train.size() > 0;
  return {examples, name, compares ? std::optional(splits.train) : std::nullopt};
}

// A card's value and what is measured now: within the interval, or within rounding of the value.
bool agrees(const MetricCard& card, double now) {
  const double rounding = 1e-3 * std::abs(card.value) + 1e-9;
  const double low = card.interval ? card.interval->low : card.value, high = card.interval ? card.interval->high : low;
  return now >= low - rounding && now <= high + rounding;
}

std::string told_text(const MetricCard& card) {
  if (!card.interval) return fmt::format("{:.6g} as the card tells", card.value);
  return fmt::format("{:.6g} to {:.6g} as the card tells", card.interval->low, card.interval->high);
}

Check compare_metric(const std::string& name, const MetricCard& card, const std::map<std::string, MetricCard>& now,
                     const std::string& where) {
  const auto found = now.find(name);
  const std::string text = found == now.end() ? "no finite value" : fmt::format("{:.6g}", found->second.value);
  if (found != now.end() && agrees(card, found->second.value)) {
    return {"metric " + name, "passed", text + ", " + told_text(card)};
  }
  const FileError error({where + ": metrics." + name, told_text(card), text, "card, weights, data or build differ"});
  return {"metric " + name, "failed", error.what()};
}

// What keeps metrics from being measured again; empty: nothing.
std::string why_not_measured(const MeasureRequest& request, const std::string& data) {
  try {
    if (request.judge.empty()) make_metric(request.metrics.front());
  } catch (const ConfigError& error) {
    return error.what();
  }
  if (!data.empty()) return {};
  if (request.data.empty()) return "the card does not tell on which data; name them with --data";
  return is_named_data(request.data) ? "" : "its data are files of whoever made it (" + request.data + "): --data REF";
}

// One check each of the metrics that are measured together.
std::vector<Check> check_together(const Entry& entry, const MeasureRequest& request, const std::string& data,
                                  const std::string& where) {
  std::vector<Check> checks;
  const auto all = [&](const std::string& outcome, const std::string& detail) {
    for (const auto& name : request.metrics) checks.push_back({"metric " + name, outcome, detail});
    return checks;
  };
  const std::string reason = why_not_measured(request, data);
  if (!reason.empty()) return all("skipped", reason);
  MeasureRequest again = request;
  if (!data.empty()) again.data = data;
  try {
    const auto now = measure(*entry.model, again);
    for (const auto& name : request.metrics) {
      checks.push_back(compare_metric(name, entry.card.metrics.at(name), now, where));
    }
    return checks;
  } catch (const DataError& error) {
    return all("skipped", error.what());
  } catch (const FileError& error) {  // no such judge here
    return all("skipped", error.what());
  } catch (const ConfigError& error) {  // a metric, or a split, that is none of this model or these data
    return all("failed", where + ": metrics." + request.metrics.front() + ": " + error.what());
  }
}

}  // namespace

bool is_named_data(const std::string& reference) {
  const auto parsed = data::parse_reference(reference);
  if (!parsed.path.empty() || !data::find_known(parsed.name)) return false;
  const auto is_number = [](const Json& value) { return value.is_number() || value.is_boolean(); };
  return std::all_of(parsed.options.begin(), parsed.options.end(), [&](const Json& value) {
    return is_number(value) || (value.is_array() && std::all_of(value.begin(), value.end(), is_number));
  });
}

std::map<std::string, IntervalCard> intervals(Model& model, const Dataset& examples,
                                              const std::map<std::string, double>& values) {
  std::vector<std::string> alone;
  for (const auto& [name, value] : values) {
    if (std::isfinite(value) && !make_metric(name)->compares_with_training()) alone.push_back(name);
  }
  const IntervalParts how = parts_for(examples.size());
  std::map<std::string, IntervalCard> found;
  if (how.count == 0) return found;
  for (const auto& [name, parts] : part_values(model, examples, alone, how.count)) {
    if (const auto interval = interval_of(values.at(name), parts, how)) found[name] = *interval;
  }
  return found;
}

std::map<std::string, MetricCard> measure(Model& model, const Dataset& examples,
                                          const std::vector<std::string>& metrics,
                                          const std::optional<Dataset>& training) {
  const auto values = evaluate(model, examples, metrics, {.training = training});
  const auto known = intervals(model, examples, values);
  std::map<std::string, MetricCard> cards;
  for (const auto& [name, value] : values) {
    if (!std::isfinite(value)) continue;
    cards[name] = {.value = value, .data = examples.info().name, .examples = examples.size()};
    if (known.contains(name)) cards[name].interval = known.at(name);
  }
  return cards;
}

std::map<std::string, MetricCard> measure(Model& model, const MeasureRequest& request) {
  const OpenedSplit split = open_split(model, request.data, request.split);
  auto cards = request.judge.empty() ? measure(model, split.examples, request.metrics, split.training)
                                     : judged(model, *load("zoo:" + request.judge).model, split.examples);
  for (auto& [name, card] : cards) {
    card.data = request.data;
    card.split = split.name;
    card.judge = request.judge;
  }
  return cards;
}

std::vector<MeasureRequest> requests_of(const std::map<std::string, MetricCard>& metrics) {
  std::vector<MeasureRequest> requests;
  for (const auto& [name, card] : metrics) {
    const auto same = [&](const MeasureRequest& one) {
      return !one.judge.empty() && one.judge == card.judge && one.data == card.data && one.split == card.split;
    };
    const auto found = std::find_if(requests.begin(), requests.end(), same);
    if (found == requests.end()) {
      requests.push_back({card.data, card.split, {name}, card.judge});
    } else {
      found->metrics.push_back(name);
    }
  }
  return requests;
}

std::vector<Check> verify_metrics(const std::filesystem::path& folder, const std::string& data) {
  const Entry entry = open_entry(folder);
  const std::string where = (folder / card_file).string();
  std::vector<Check> checks;
  for (const MeasureRequest& request : requests_of(entry.card.metrics)) {
    for (Check& check : check_together(entry, request, data, where)) checks.push_back(std::move(check));
  }
  if (checks.empty()) checks.push_back({"metrics", "skipped", "the card has none"});
  return checks;
}

}  // namespace vaetl::zoo
