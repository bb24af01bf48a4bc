#include "vaetl/transfer/probe.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>

#include <chrono>
#include <limits>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/labels.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/train/features.hpp"
#include "vaetl/transfer/logistic.hpp"

namespace vaetl {
namespace {

constexpr std::int64_t few_examples = 5000;  // up to so many are held out in five parts
constexpr double search_tolerance = 1e-5;    // of solutions that only choose l2

// Features as the solver sees them: standardised, along the principal axes of the space that the examples span. There
// they are uncorrelated, and no more than the examples.
struct Space {
  at::Tensor mean, deviation;  // (F)
  at::Tensor basis;            // (F, R) with orthonormal columns
  at::Tensor standardised(const at::Tensor& features) const { return (features.to(at::kDouble) - mean) / deviation; }
};

at::Tensor principal_axes(const at::Tensor& x) {
  if (x.size(0) >= x.size(1)) return std::get<1>(at::linalg_eigh(x.t().matmul(x)));
  const auto [q, r] = at::linalg_qr(x.t());
  return q.matmul(std::get<1>(at::linalg_eigh(r.matmul(r.t()))));
}

Space space_of(const at::Tensor& features, bool standardise) {
  const at::Tensor x = features.to(at::kDouble);
  Space space{at::zeros_like(x[0]), at::ones_like(x[0]), {}};
  if (standardise) {
    space.mean = x.mean(0);
    space.deviation = x.std(/*dim=*/0, /*unbiased=*/false);
    space.deviation = space.deviation.masked_fill(space.deviation <= 1e-12 * space.mean.abs() + 1e-300, 1);
  }
  space.basis = principal_axes(space.standardised(features));
  return space;
}

// In the terms of features as they come.
void fold_back(SolvedHead& head, const detail::Solution& solution, const Space& space) {
  const at::Tensor weight = solution.weight.matmul(space.basis.t()) / space.deviation;
  head.weight = weight.to(at::kFloat);
  head.bias = (solution.bias - weight.matmul(space.mean)).to(at::kFloat);
}

void check_problem(const at::Tensor& features, const at::Tensor& labels, std::int64_t classes) {
  auto refuse = [](std::string expected, std::string found, std::string remedy) {
    throw DataError({"solve_head", std::move(expected), std::move(found), std::move(remedy)});
  };
  if (features.dim() != 2 || features.numel() == 0) {
    refuse("features of shape (N, F)", shape_text(features.sizes().vec()), "choose other data");
  }
  if (labels.size(0) != features.size(0)) {
    refuse(fmt::format("{} labels, one an example", features.size(0)), std::to_string(labels.size(0)), {});
  }
  if (!features.isfinite().all().item<bool>()) refuse("finite features", "others", "look at the model's weights");
  if (classes < 2) refuse("at least two classes", std::to_string(classes), "choose data with labels");
}

// Training and held-out parts, by rows of the features; none where a class has a single example.
struct Held {
  at::Tensor rest, held;
};

std::vector<Held> parts_of(const at::Tensor& labels, const ProbeOptions& options, std::uint64_t seed) {
  Fields rows;
  rows.set("row", at::arange(labels.size(0), at::kLong));
  rows.set("target", labels);
  const Dataset data = Dataset::from_tensors(rows);
  const at::Tensor counts = at::bincount(labels);
  const auto fewest = counts.masked_select(counts > 0).min().item<std::int64_t>();
  std::vector<Held> result;
  const auto add = [&](const Parts& parts) { result.push_back({parts.rest.column("row"), parts.held.column("row")}); };
  const bool once = options.folds == 0 && (options.validation > 0 || labels.size(0) > few_examples);
  if (fewest < 2 && options.folds == 0) return result;
  if (once) {
    add(hold_out(data, options.validation > 0 ? options.validation : 0.2, seed));
    return result;
  }
  const std::int64_t folds = options.folds > 0 ? options.folds : std::min<std::int64_t>(5, fewest);
  for (std::int64_t i = 0; i < folds; ++i) add(fold(data, i, folds, seed));
  return result;
}

detail::Logistic rows_of(const detail::Logistic& all, const at::Tensor& rows) {
  const at::Tensor weights = all.weights.index_select(0, rows);
  return {all.x.index_select(0, rows), all.labels.index_select(0, rows), weights / weights.sum(), all.classes};
}

// One part: trained on `training` with ever weaker penalties, scored on what is held out.
struct HeldOut {
  detail::Logistic training, held;
  detail::Solution solution = {};
};

HeldOut held_out(const detail::Logistic& all, const Held& part) {
  HeldOut result{rows_of(all, part.rest), rows_of(all, part.held)};
  result.held.weights = all.weights.index_select(0, part.held);
  return result;
}

// How the strengths do on what is held out, all parts together being one set; from the strongest on until two in a row
// have been worse than the best, as the weakest take by far the longest.
std::vector<SolvedHead::Tried> try_strengths(const detail::Logistic& all, const std::vector<Held>& parts,
                                             const ProbeOptions& options) {
  std::vector<double> strengths = options.l2;
  std::sort(strengths.begin(), strengths.end(), std::greater<>());
  std::vector<HeldOut> problems;
  double total = 0, best = std::numeric_limits<double>::infinity();
  for (const Held& part : parts) total += problems.emplace_back(held_out(all, part)).held.weights.sum().item<double>();
  std::vector<SolvedHead::Tried> tried;
  int worse = 0;
  for (auto l2 = strengths.begin(); l2 != strengths.end() && worse < 2; ++l2) {
    SolvedHead::Tried one{*l2, 0, 0};
    for (HeldOut& p : problems) {
      p.solution = detail::solve(p.training, p.solution, {*l2, search_tolerance, options.iterations});
      const at::Tensor log_p = at::log_softmax(detail::logits(p.solution, p.held.x), 1);
      const at::Tensor of_label = log_p.gather(1, p.held.labels.unsqueeze(1)).squeeze(1);
      one.accuracy += (log_p.argmax(1).eq(p.held.labels) * p.held.weights).sum().item<double>() / total;
      one.cross_entropy -= (of_label * p.held.weights).sum().item<double>() / total;
    }
    tried.push_back(one);
    worse = one.cross_entropy < best ? 0 : worse + 1;
    best = std::min(best, one.cross_entropy);
  }
  return tried;
}

void choose_strength(SolvedHead& head, const ProbeOptions& options) {
  head.l2 = options.l2.front();
  if (head.tried.empty()) return;
  const auto by_entropy = [](const auto& a, const auto& b) { return a.cross_entropy < b.cross_entropy; };
  const auto best = *std::min_element(head.tried.begin(), head.tried.end(), by_entropy);
  head.l2 = best.l2;
  head.accuracy = best.accuracy;
  head.cross_entropy = best.cross_entropy;
}

struct LinearParameters {
  at::Tensor weight, bias;
};

std::optional<LinearParameters> linear_head(const Model& model) {
  const auto groups = model.groups();
  const auto head = std::find_if(groups.begin(), groups.end(), [](const auto& group) { return group.name == "head"; });
  if (head == groups.end() || head->prefixes.size() != 1) return std::nullopt;
  const Weights weights = state(model);
  const auto weight = weights.find(head->prefixes[0] + ".weight"), bias = weights.find(head->prefixes[0] + ".bias");
  if (weight == weights.end() || bias == weights.end() || weight->second.dim() != 2) return std::nullopt;
  return LinearParameters{weight->second, bias->second};
}

}  // namespace

void ProbeOptions::validate() const {
  if (l2.empty())
    throw ConfigError({"solve_head.l2", "at least one strength", "none", "leave it out for the defaults"});
  if (folds == 1) throw ConfigError({"solve_head.folds", "0 or at least 2", "1", {}});
  if (folds > 0 && validation > 0) {
    throw ConfigError({"solve_head", "validation or folds", "both", "leave one out"});
  }
}

Json SolvedHead::json() const {
  const auto known = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
  Json all = Json::array();
  for (const Tried& one : tried) {
    all.push_back({{"l2", one.l2}, {"accuracy", one.accuracy}, {"cross_entropy", one.cross_entropy}});
  }
  return {{"l2", l2},
          {"validation", {{"accuracy", known(accuracy)}, {"cross_entropy", known(cross_entropy)}}},
          {"loss", loss},
          {"gradient", gradient},
          {"iterations", iterations},
          {"seconds", seconds},
          {"tried", all}};
}

std::string SolvedHead::text() const {
  const std::string held = accuracy ? fmt::format("accuracy {:.4f} on what was held out to choose it", *accuracy)
                                    : "no example could be held out to choose it";
  return fmt::format("the head was solved in {:.1f} s: l2 {:g}, {}", seconds, l2, held);
}

SolvedHead solve_probe(const at::Tensor& features, const at::Tensor& labels, std::int64_t classes,
                       const ProbeOptions& options, std::uint64_t seed, const at::Tensor& weights) {
  options.validate();
  check_problem(features, labels, classes);
  const auto started = std::chrono::steady_clock::now();
  const at::NoGradGuard no_grad;
  const Space space = space_of(features, options.standardise);
  const at::Tensor each = weights.defined() ? weights.to(at::kDouble) : at::full({labels.size(0)}, 1.0, at::kDouble);
  const detail::Logistic all{space.standardised(features).matmul(space.basis),
                             class_labels(labels, classes, "solve_head", true), each / each.sum(), classes};
  SolvedHead head;
  const auto parts = parts_of(all.labels, options, seed);
  if (options.l2.size() > 1 && !parts.empty()) head.tried = try_strengths(all, parts, options);
  choose_strength(head, options);
  const detail::Solution solution = detail::solve(all, {}, {.l2 = head.l2, .iterations = options.iterations});
  fold_back(head, solution, space);
  head.loss = solution.loss;
  head.gradient = solution.gradient;
  head.iterations = solution.evaluations;
  head.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return head;
}

SolvedHead solve_probe(const Dataset& features, std::int64_t classes, const ProbeOptions& options, std::uint64_t seed) {
  const at::Tensor weights = features.has("weight") ? features.column("weight") : at::Tensor();
  return solve_probe(features.column("features"), features.labels(), classes, options, seed, weights);
}

void check_linear_head(const Model& model, const std::string& path) {
  require_capability(model, Classifier::capability, path);
  if (linear_head(model)) return;
  throw ConfigError({path, "a linear head", "a head of several layers",
                     "leave hidden out of transfer.heads, or solve_head out of transfer"});
}

void load_head(Model& model, const SolvedHead& head) {
  const auto parameters = linear_head(model);
  if (!parameters || parameters->weight.sizes() != head.weight.sizes()) {
    throw ConfigError({"model " + quote(model.spec().name),
                       "a linear head of shape " + shape_text(head.weight.sizes().vec()),
                       parameters ? shape_text(parameters->weight.sizes().vec()) : "another head",
                       {}});
  }
  const at::NoGradGuard no_grad;
  at::Tensor weight = parameters->weight, bias = parameters->bias;
  weight.copy_(head.weight);
  bias.copy_(head.bias);
}

SolvedHead solve_head(Model& model, const Pipeline& data, const ProbeOptions& options, std::uint64_t seed) {
  check_linear_head(model, "transfer.solve_head");
  fit_preprocess(model, data);
  const Dataset features = extract(model, data);
  SolvedHead head = solve_probe(features, dynamic_cast<const Classifier&>(model).classes(), options, seed);
  load_head(model, head);
  return head;
}

}  // namespace vaetl
