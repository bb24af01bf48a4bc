#include "vaetl/transfer/adapt.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/load_rules.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/weight_names.hpp"
#include "vaetl/transfer/report_text.hpp"

namespace vaetl {
namespace {

void check_patterns(const std::vector<LoadRule>& rules, const Weights& weights, const Model& target) {
  const auto names = names_of(weights), own = names_of(state(target));
  for (std::size_t i = 0; i < rules.size(); ++i) {
    check_matches(rules[i].from, names, tensor_of_source, fmt::format("transfer.load[{}].from", i));
    if (rules[i].to.empty() || rules[i].to == "*") continue;
    check_matches(rules[i].to, own, "a name, or a pattern of names, of " + quote(target.spec().name),
                  fmt::format("transfer.load[{}].to", i));
  }
}

// What is asked for anew is not loaded by default, even where its shape happens to fit.
void drop_heads(const Model& model, std::vector<LoadRule>& rules) {
  for (const LayerGroup& group : model.groups()) {
    if (!is_head(adapted_group(group.name))) continue;
    for (const std::string& prefix : group.prefixes) {
      rules.push_back({.from = prefix, .to = ""});
      rules.push_back({.from = prefix + ".*", .to = ""});
    }
  }
}

std::vector<LoadRule> load_rules(const Model& source, const Model& target, const AdaptOptions& options) {
  std::vector<LoadRule> rules = options.load;
  if (!options.heads.empty()) {
    drop_heads(source, rules);
    drop_heads(target, rules);
  }
  if (options.match == "name") rules.push_back({.from = "*", .to = "*"});
  return rules;
}

std::vector<std::int64_t> input_shape(const Model& model) {
  const auto inputs = model.signature().inputs;
  const auto found = inputs.find("input");
  return found == inputs.end() ? std::vector<std::int64_t>{} : found->second.shape;
}

LoadContext context_of(const Model& source, const Model& target, const AdaptOptions& options,
                       const std::vector<std::string>& order) {
  LoadContext context{.by_order = options.match == "order",
                      .order = order,
                      .fresh = {},
                      .from_input = input_shape(source),
                      .to_input = input_shape(target)};
  for (const auto& [name, tensor] : state(target)) {
    if (detail::is_asked_for(group_of(target, name), options)) context.fresh.insert(name);
  }
  return context;
}

std::string a_few(const std::vector<std::string>& names) {
  constexpr std::size_t few = 3;
  const std::size_t shown = std::min(few, names.size());
  return join(std::span(names).first(shown)) + (names.size() > shown ? ", …" : "");
}

LoadReport load_weights(const Model& source, Model& target, const Weights& weights, const AdaptOptions& options,
                        const std::vector<std::string>& order) {
  LoadReport report =
      load(target, weights, load_rules(source, target, options), context_of(source, target, options, order));
  if (!report.loaded.empty() || !report.reshaped.empty()) return report;
  throw FileError(
      {"transfer", fmt::format("weights that fit {} ({})", target.spec().name, a_few(names_of(state(target)))),
       weights.empty() ? "no tensor at all"
                       : fmt::format("a checkpoint of another model ({})", a_few(names_of(weights))),
       prefix_remedy(weights, state(target), "name the model they belong to, or map names with transfer.load")});
}

// Fitted values that hold for another range or another number of channels would be wrong without a word.
bool preprocess_fits(const Json& preprocess, const Model& source, const Model& target) {
  const auto from = source.signature().inputs, to = target.signature().inputs;
  const auto was = from.find("input"), is = to.find("input");
  if (was == from.end() || is == to.end()) return true;
  if (was->second.low != is->second.low || was->second.high != is->second.high) return false;
  std::vector<std::int64_t> shape{1};
  constexpr std::int64_t some_size = 8;  // where it may be any
  for (const std::int64_t size : is->second.shape) shape.push_back(size < 0 ? some_size : size);
  const Preprocess fitted = Preprocess::from_json(preprocess);
  try {
    Fields fields;
    fields.set("input", at::zeros(shape));
    fitted.apply(fields);
    return fields.input().sizes() == at::IntArrayRef(shape);
  } catch (const std::exception&) {  // DataError or LibTorch's: statistics of another shape
    return false;
  }
}

std::string carry_preprocess(const Json& preprocess, const Model& source, Model& target) {
  if (preprocess.is_null()) return "fitted when it trains";
  if (!preprocess_fits(preprocess, source, target)) return "the source's does not fit this input, fitted anew";
  target.set_preprocess(preprocess);
  return "the source's";
}

AdaptReport report_on(const detail::Adaptation& adaptation) {
  AdaptReport report;
  report.weights = adaptation.weights;
  report.matched = detail::matched(detail::fates(adaptation));
  report.text = detail::report_text(adaptation);
  report.json = detail::report_json(adaptation);
  const auto tuning = evaluate_tuning(adaptation.tuning, adaptation.target);
  for (const LayerGroup& group : adaptation.target.groups()) {
    (tuning.at(group.name).train ? report.trained : report.frozen).push_back(group.name);
  }
  return report;
}

// What neither was loaded nor is as it was asked for.
std::vector<std::string> unexpected(const detail::Adaptation& adaptation) {
  std::vector<std::string> all;
  for (const detail::Fate& fate : detail::fates(adaptation)) {
    if (fate.outcome == "mismatched") all.push_back(fmt::format("{}: {}", fate.name, fate.why));
    if (fate.outcome == "initialised" && !fate.asked_for) all.push_back("no " + fate.name);
  }
  for (const auto& row : adaptation.weights.unused) {
    if (row.note != detail::dropped && !detail::is_left_behind(adaptation, row.name))
      all.push_back(row.name + " besides");
  }
  return all;
}

void check_strict(const detail::Adaptation& adaptation) {
  const auto all = unexpected(adaptation);
  if (!adaptation.options.strict || all.empty()) return;
  constexpr std::size_t few = 3;
  const std::string more = all.size() > few ? fmt::format(" and {} more differences", all.size() - few) : "";
  throw FileError({"transfer.strict", "the target's weights and nothing else",
                   join(std::span(all).first(std::min(few, all.size()))) + more,
                   "drop or map names by rules of transfer.load, or leave strict out"});
}

// The first tensors of the backbone that the source lacks.
std::string lacking(const std::vector<detail::Fate>& fates) {
  std::vector<std::string> names;
  for (const detail::Fate& fate : fates) {
    if (fate.backbone && fate.taken < fate.values) names.push_back(fate.name);
  }
  return a_few(names);
}

void check_matched(const detail::Adaptation& adaptation) {
  const auto fates = detail::fates(adaptation);
  const double bound = adaptation.options.at_least, share = detail::matched(fates);
  if (share >= bound) return;
  throw FileError({"transfer.at_least", fmt::format("{:.3g} % of the backbone's values from the source", 100 * bound),
                   fmt::format("{:.3g} %, without {}", 100 * share, lacking(fates)),
                   "map names with transfer.load, or, where that is meant, lower transfer.at_least"});
}

void check_classes(const Model& target, const AdaptOptions& options) {
  const auto* classifier = dynamic_cast<const Classifier*>(&target);
  if (options.heads.empty() || (classifier && classifier->classes() == options.heads[0].classes)) return;
  throw ConfigError({"transfer.heads[0].classes", fmt::format("a classifier of {} classes", options.heads[0].classes),
                     classifier ? fmt::format("{} classes", classifier->classes()) : "no classifier",
                     "leave the classes out of transfer.model"});
}

// Weights are matched, checked and copied; preprocessing is the source's where it fits.
AdaptReport take_over(const Model& source, Model& target, const Weights& weights, const Json& preprocess,
                      const AdaptOptions& options, const std::vector<std::string>& order, const Tuning& tuning) {
  check_patterns(options.load, weights, target);
  const LoadReport loaded = load_weights(source, target, weights, options, order);
  const std::string note = carry_preprocess(preprocess, source, target);
  const detail::Adaptation adaptation{source, target, loaded, tuning, options, note};
  check_strict(adaptation);
  check_matched(adaptation);
  return report_on(adaptation);
}

Adapted adapt_weights(const Model& source, const Weights& weights, const Json& preprocess, const AdaptOptions& options,
                      const std::vector<std::string>& order) {
  auto target = build(describe_target(source, options), "transfer.model");
  check_classes(*target, options);
  Tuning tuning = tuning_of(*target, options);
  if (!options.weights) {
    const LoadReport none = load(*target, {});
    AdaptReport report = report_on({source, *target, none, tuning, options, "fitted when it trains"});
    return {std::move(target), std::move(tuning), std::move(report)};
  }
  AdaptReport report = take_over(source, *target, weights, preprocess, options, order, tuning);
  return {std::move(target), std::move(tuning), std::move(report)};
}

}  // namespace

Adapted adapt(const Model& source, const AdaptOptions& options) {
  Adapted adapted = adapt_weights(source, state(source), source.preprocess(), options, names_in_order(source));
  adapted.model->to(device_of(source));
  return adapted;
}

Adapted adapt(const ModelSpec& description, const Weights& weights, const Json& preprocess, const AdaptOptions& options,
              const std::vector<std::string>& order) {
  return adapt_weights(*build(description, "transfer.model"), weights, preprocess, options, order);
}

}  // namespace vaetl
