#include "vaetl/transfer/adapt.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/weight_names.hpp"
#include "vaetl/transfer/report_text.hpp"

namespace vaetl {
namespace {

std::vector<std::string> names_of(const Weights& weights) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : weights) names.push_back(name);
  return names;
}

// Load rules know `*` alone; ? and [ stand for themselves.
bool matches(const std::string& rule, const std::string& name) {
  std::string pattern;
  for (char c : rule) pattern.append(c == '?' || c == '[' || c == '\\' ? "\\" : "").push_back(c);
  return glob_match(pattern, name);
}

void check_rules(const std::vector<LoadRule>& rules, const Weights& weights) {
  const auto names = names_of(weights);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto fits = [&](const std::string& name) { return matches(rules[i].from, name); };
    if (std::any_of(names.begin(), names.end(), fits)) continue;
    throw ConfigError({fmt::format("transfer.load[{}].from", i), "a pattern that matches a tensor of the source",
                       quote(rules[i].from), did_you_mean(rules[i].from, names)});
  }
}

bool is_head(const LayerGroup& group) { return group.name == "head" || group.name.starts_with("head."); }

// What is asked for anew is not loaded by default, even where its shape happens to fit.
void drop_heads(const Model& model, std::vector<LoadRule>& rules) {
  for (const LayerGroup& group : model.groups()) {
    if (!is_head(group)) continue;
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
  rules.push_back({.from = "*", .to = "*"});
  return rules;
}

std::string a_few(const std::vector<std::string>& names) {
  constexpr std::size_t few = 3;
  const std::size_t shown = std::min(few, names.size());
  return join(std::span(names).first(shown)) + (names.size() > shown ? ", …" : "");
}

LoadReport load_weights(Model& target, const Weights& weights, const std::vector<LoadRule>& rules) {
  LoadReport report = load(target, weights, rules);
  if (!report.loaded.empty() || !report.reshaped.empty()) return report;
  throw FileError(
      {"transfer", fmt::format("weights that fit {} ({})", target.spec().name, a_few(names_of(state(target)))),
       weights.empty() ? "no tensor at all"
                       : fmt::format("a checkpoint of another model ({})", a_few(names_of(weights))),
       prefix_remedy(weights, state(target), "name the model they belong to, or map names with transfer.load")});
}

Tuning tuning_of(const Model& target, const AdaptOptions& options) {
  Tuning tuning;
  for (std::size_t i = 0; i < options.freeze.size(); ++i) {
    match_groups(target, options.freeze[i], fmt::format("transfer.freeze[{}]", i));
    tuning.push_back({.groups = options.freeze[i], .train = false});
  }
  for (std::size_t i = 0; i < options.tuning.size(); ++i) {
    match_groups(target, options.tuning[i].groups, fmt::format("transfer.tuning[{}].groups", i));
    tuning.push_back(options.tuning[i]);
  }
  return tuning;
}

// Fitted values that hold for another range or another number of channels would be wrong without a word.
bool preprocess_fits(const Json& preprocess, const Model& source, const Model& target) {
  const auto from = source.signature().inputs, to = target.signature().inputs;
  const auto was = from.find("input"), is = to.find("input");
  if (was == from.end() || is == to.end()) return true;
  if (was->second.low != is->second.low || was->second.high != is->second.high) return false;
  std::vector<std::int64_t> shape{1};
  shape.insert(shape.end(), is->second.shape.begin(), is->second.shape.end());
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
  report.text = detail::report_text(adaptation);
  const auto tuning = evaluate_tuning(adaptation.tuning, adaptation.target, 0);
  for (const LayerGroup& group : adaptation.target.groups()) {
    (tuning.at(group.name).train ? report.trained : report.frozen).push_back(group.name);
  }
  return report;
}

void check_classes(const Model& target, const AdaptOptions& options) {
  const auto* classifier = dynamic_cast<const Classifier*>(&target);
  if (options.heads.empty() || (classifier && classifier->classes() == options.heads[0].classes)) return;
  throw ConfigError({"transfer.heads[0].classes", fmt::format("a classifier of {} classes", options.heads[0].classes),
                     classifier ? fmt::format("{} classes", classifier->classes()) : "no classifier",
                     "leave the classes out of transfer.model"});
}

Adapted adapt_weights(const Model& source, const Weights& weights, const Json& preprocess,
                      const AdaptOptions& options) {
  check_rules(options.load, weights);
  auto target = build(describe_target(source, options), "transfer.model");
  check_classes(*target, options);
  Tuning tuning = tuning_of(*target, options);
  const LoadReport loaded = load_weights(*target, weights, load_rules(source, *target, options));
  const std::string note = carry_preprocess(preprocess, source, *target);
  AdaptReport report = report_on({source, *target, loaded, tuning, note});
  return {std::move(target), std::move(tuning), std::move(report)};
}

}  // namespace

Adapted adapt(const Model& source, const AdaptOptions& options) {
  Adapted adapted = adapt_weights(source, state(source), source.preprocess(), options);
  adapted.model->to(device_of(source));
  return adapted;
}

Adapted adapt(const ModelSpec& description, const Weights& weights, const Json& preprocess,
              const AdaptOptions& options) {
  return adapt_weights(*build(description, "transfer.model"), weights, preprocess, options);
}

}  // namespace vaetl
