#include "vaetl/metrics/neighbours.hpp"

#include <ATen/ops/addmm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "vaetl/core/error.hpp"
#include "vaetl/nn/labels.hpp"

namespace vaetl::metrics {
namespace {

constexpr std::int64_t compared_at_once = 1 << 24;  // values: 64 MiB
constexpr std::int64_t most_left_out = 5000;
constexpr std::array<std::int64_t, 8> usual_counts = {1, 2, 5, 10, 20, 50, 100, 200};
constexpr double nearest_distance = 1e-12;  // of equal features, so that their votes stay finite

[[noreturn]] void refuse_bank(std::string expected, std::string found) {
  throw DataError({"nearest neighbours", std::move(expected), std::move(found), "choose other training data"});
}

at::Tensor of_length_one(const at::Tensor& x) { return x / x.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-12); }

at::Tensor as_bank(const at::Tensor& features) { return features.to(at::kCPU, at::kFloat).contiguous(); }

}  // namespace

Neighbours::Neighbours(const at::Tensor& features, const at::Tensor& labels, std::int64_t classes,
                       NeighboursOptions options)
    : options_(std::move(options)), classes_(classes), features_(as_bank(features)) {
  if (features.dim() != 2 || features.size(0) < 2) refuse_bank("at least two examples", "fewer");
  if (!features_.isfinite().all().item<bool>()) refuse_bank("finite features", "others");
  labels_ = class_labels(labels, classes, "nearest neighbours", true).cpu();
  if (options_.distance == "cosine") {
    features_ = of_length_one(features_);
  } else {
    squares_ = features_.square().sum(1);
  }
  if (options_.k == 0) choose_k();
  options_.k = std::min(options_.k, features_.size(0));
}

// Queries whose closeness to all, and whose difference from their nearest, are not too much at once.
std::int64_t Neighbours::block(std::int64_t count) const {
  const std::int64_t differences = squares_.defined() ? count * features_.size(1) : 0;
  return std::max<std::int64_t>(1, compared_at_once / std::max(features_.size(0), differences));
}

// Without the examples `own` (M), which are the queries themselves.
Neighbours::Nearest Neighbours::nearest(const at::Tensor& queries, std::int64_t count, const at::Tensor& own) const {
  at::Tensor closeness;  // larger is nearer
  if (squares_.defined()) {
    closeness = at::addmm(squares_, queries, features_.t(), 1, -2).neg_();  // but for ‖x‖², the same for all
  } else {
    closeness = queries.matmul(features_.t());
  }
  if (own.defined()) closeness.scatter_(1, own.unsqueeze(1), -std::numeric_limits<float>::infinity());
  const auto [values, index] = at::topk(closeness, count, 1);
  if (!squares_.defined()) return {(values / options_.temperature).exp_(), labels_.index({index})};
  const at::Tensor distance = (queries.unsqueeze(1) - features_.index({index})).norm(2, {2});
  return {distance.clamp_min(nearest_distance).reciprocal_(), labels_.index({index})};
}

at::Tensor Neighbours::count_votes(const Nearest& nearest, std::int64_t k) const {
  at::Tensor votes = at::zeros({nearest.labels.size(0), classes_}, features_.options());
  return votes.scatter_add_(1, nearest.labels.narrow(1, 0, k), nearest.weights.narrow(1, 0, k));
}

at::Tensor Neighbours::votes(const at::Tensor& features) const {
  at::Tensor queries = as_bank(features);
  if (!squares_.defined()) queries = of_length_one(queries);
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : queries.split(block(options_.k)))
    parts.push_back(count_votes(nearest(part, options_.k), options_.k));
  return at::cat(parts);
}

// For each of these numbers of neighbours, ascending.
std::vector<double> Neighbours::leave_one_out(const std::vector<std::int64_t>& counts) const {
  const std::int64_t size = features_.size(0), left_out = std::min(size, most_left_out);
  const at::Tensor chosen = (at::arange(left_out, at::kLong) * size).floor_divide(left_out);
  std::vector<double> right(counts.size());
  for (const at::Tensor& own : chosen.split(block(counts.back()))) {
    const Nearest found = nearest(features_.index_select(0, own), counts.back(), own);
    const at::Tensor labels = labels_.index_select(0, own);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      right[i] += static_cast<double>(count_votes(found, counts[i]).argmax(1).eq(labels).sum().item<std::int64_t>());
    }
  }
  for (double& each : right) each /= static_cast<double>(left_out);
  return right;
}

double Neighbours::agreement() const { return leave_one_out({std::min(options_.k, features_.size(0) - 1)}).front(); }

void Neighbours::choose_k() {
  std::vector<std::int64_t> counts;
  for (const std::int64_t count : usual_counts) {
    if (count < features_.size(0)) counts.push_back(count);
  }
  const auto right = leave_one_out(counts);
  options_.k = counts[static_cast<std::size_t>(std::max_element(right.begin(), right.end()) - right.begin())];
}

void Knn::learn(const at::Tensor& features, const at::Tensor& labels, std::int64_t classes) {
  bank_.emplace(features, labels, classes, options_);
}

void Knn::update(Pass& pass) {
  if (!bank_) {
    throw ConfigError({"metric knn", "labelled training data to compare with", "none", "leave this metric out"});
  }
  const at::Tensor votes = bank_->votes(pass.features());
  const at::Tensor labels = class_labels(pass.fields().target(), votes.size(1), "metric knn", true).cpu();
  mean_.add(votes.argmax(1).eq(labels).to(pass.fields().target().device()), pass.fields());
}

}  // namespace vaetl::metrics
