#include "vaetl/transfer/scores.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/diag.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_pinv.h>
#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <numbers>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/metrics/mahalanobis.hpp"
#include "vaetl/metrics/neighbours.hpp"
#include "vaetl/nn/labels.hpp"

namespace vaetl {
namespace {

constexpr std::int64_t score_neighbours = 5;

at::Tensor one_hot_columns(const ScoreInput& in) {
  return at::zeros({in.labels.size(0), in.classes}, at::kDouble).scatter_(1, in.labels.unsqueeze(1), 1);
}

// σ = the squared singular values of the features, and of labels y the squared shares Uᵀ y along their directions.
struct Spectrum {
  at::Tensor sigma;   // (R)
  at::Tensor shares;  // (R, K)
};

Spectrum spectrum(const at::Tensor& features, const at::Tensor& targets) {
  constexpr double rank_tolerance = 1e-13;  // of the largest; directions below carry nothing
  const bool tall = features.size(0) > features.size(1);
  const at::Tensor gram = tall ? features.t().matmul(features) : features.matmul(features.t());
  const auto [values, vectors] = at::linalg_eigh(gram);
  const at::Tensor kept = values > rank_tolerance * values.max();
  const at::Tensor sigma = values.masked_select(kept), basis = vectors.t().index({kept});
  if (!tall) return {sigma, basis.matmul(targets).square()};
  return {sigma, basis.matmul(features.t().matmul(targets)).square() / sigma.unsqueeze(1)};
}

// log p(y | F) / N of one column, at the fixed point of α = γ / mᵀm and β = (N − γ) / ‖F m − y‖².
double evidence(const at::Tensor& sigma, const at::Tensor& shares, double square, double count) {
  constexpr double guard = 1e-5;  // of both quotients, as in the paper's code: an exact fit keeps them finite
  const double outside = std::max(0.0, square - shares.sum().item<double>());
  const auto rank = static_cast<double>(sigma.numel());
  double alpha = 1, beta = 1, value = 0;
  for (int i = 0; i < 100; ++i) {
    const double t = alpha / beta;
    const double gamma = (sigma / (sigma + t)).sum().item<double>();
    const double length = (sigma * shares / (sigma + t).square()).sum().item<double>();
    const double residual = (shares / (1 + sigma / t).square()).sum().item<double>() + outside;
    alpha = gamma / (length + guard);
    beta = (count - gamma) / (residual + guard);
    const double log_det = (alpha + beta * sigma).log().sum().item<double>();
    value = (rank * std::log(alpha) + count * std::log(beta) - log_det - beta * residual - alpha * length -
             count * std::log(2 * std::numbers::pi)) /
            (2 * count);
    if (std::abs(alpha / beta - t) <= 1e-3 * t) break;
  }
  return value;
}

double logme(const ScoreInput& in) {
  const at::Tensor targets = one_hot_columns(in), sizes = targets.sum(0);
  const Spectrum s = spectrum(in.features, targets);
  double total = 0, present = 0;
  for (std::int64_t k = 0; k < in.classes; ++k) {
    const auto size = sizes[k].item<double>();
    if (size == 0) continue;
    total += evidence(s.sigma, s.shares.select(1, k), size, static_cast<double>(in.labels.size(0)));
    ++present;
  }
  return total / present;
}

double h_score(const ScoreInput& in) {
  const at::Tensor x = in.features - in.features.mean(0);
  const auto count = static_cast<double>(x.size(0));
  const at::Tensor targets = one_hot_columns(in);
  const auto [shrunk, share] = metrics::shrunk_covariance(x);
  const at::Tensor sums = targets.t().matmul(x), sizes = targets.sum(0).clamp_min(1);
  const at::Tensor between = sums.t().matmul(sums / sizes.unsqueeze(1)) * ((1 - share) / count);
  const at::Tensor product = share > 0 ? at::linalg_solve(shrunk, between)
                                       : at::linalg_pinv(shrunk, 1e-12, /*hermitian=*/true).matmul(between);
  return product.diagonal().sum().item<double>();
}

double knn_agreement(const ScoreInput& in) {
  return metrics::Neighbours(in.features, in.labels, in.classes, {.k = score_neighbours}).agreement();
}

double leep(const ScoreInput& in) {
  const at::Tensor joint = one_hot_columns(in).t().matmul(in.probabilities);          // (K, Z), times N
  const at::Tensor given = joint / joint.sum(0, /*keepdim=*/true).clamp_min(1e-300);  // p(y | z)
  const at::Tensor predicted = in.probabilities.matmul(given.t());                    // (N, K)
  return predicted.gather(1, in.labels.unsqueeze(1)).log().mean().item<double>();
}

double nce(const ScoreInput& in) {
  const std::int64_t sources = in.probabilities.size(1);
  const at::Tensor pairs = in.labels * sources + in.probabilities.argmax(1);
  const at::Tensor joint = at::bincount(pairs, {}, in.classes * sources).to(at::kDouble).view({in.classes, sources});
  const at::Tensor given = joint / joint.sum(0, /*keepdim=*/true).clamp_min(1);
  return (joint * given.clamp_min(1e-300).log()).sum().item<double>() / static_cast<double>(in.labels.size(0));
}

void check_score_input(const ScoreInput& in) {
  auto refuse = [](std::string expected, std::string found) {
    throw DataError({"scores", std::move(expected), std::move(found), "choose other data"});
  };
  if (in.features.dim() != 2 || in.features.size(0) < 2) {
    refuse("features (N, F) of at least two examples", shape_text(in.features.sizes().vec()));
  }
  if (in.classes < 2) refuse("labels of at least two classes", std::to_string(in.classes));
  if (in.labels.size(0) != in.features.size(0)) {
    refuse(fmt::format("{} labels", in.features.size(0)), std::to_string(in.labels.size(0)));
  }
  if (!in.features.isfinite().all().item<bool>()) refuse("finite features", "others");
}

ScoreInput in_double(const ScoreInput& in) {
  ScoreInput result{in.features.to(at::kCPU, at::kDouble), class_labels(in.labels, in.classes, "scores", true).cpu(),
                    in.classes, in.probabilities};
  if (in.probabilities.defined()) result.probabilities = in.probabilities.to(at::kCPU, at::kDouble);
  return result;
}

}  // namespace

const std::vector<TransferScore>& transfer_scores() {
  static const std::vector<TransferScore> table = {
      {"logme", "evidence of a Bayesian linear model of the labels on the features", false, logme},
      {"h_score", "how far the classes lie apart in the features, over the features' spread", false, h_score},
      {"knn", "agreement with the five nearest others", false, knn_agreement},
      {"leep", "log-likelihood of the labels, told by the source's class probabilities", true, leep},
      {"nce", "negative entropy of the labels, given the source's class", true, nce}};
  return table;
}

const TransferScore& transfer_score(const std::string& name, const std::string& path) {
  std::vector<std::string> names;
  for (const TransferScore& each : transfer_scores()) {
    if (each.name == name) return each;
    names.emplace_back(each.name);
  }
  throw ConfigError({path, "one of " + join(names), quote(name), did_you_mean(name, names)});
}

std::optional<double> score(const TransferScore& which, const ScoreInput& input) {
  check_score_input(input);
  if (which.source_classes && !input.probabilities.defined()) return std::nullopt;
  const at::NoGradGuard no_grad;
  return which.value(in_double(input));
}

double kendall(const std::vector<double>& a, const std::vector<double>& b) {
  double agreeing = 0, pairs_a = 0, pairs_b = 0;
  const auto sign = [](double x) { return static_cast<double>((x > 0) - (x < 0)); };
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = i + 1; j < a.size(); ++j) {
      const double x = sign(a[i] - a[j]), y = sign(b[i] - b[j]);
      agreeing += x * y;
      pairs_a += x * x;
      pairs_b += y * y;
    }
  }
  return agreeing / std::sqrt(pairs_a * pairs_b);
}

}  // namespace vaetl
