#include "vaetl/metrics/embedding.hpp"

#include <ATen/ATen.h>

#include <limits>

#include "vaetl/core/error.hpp"
#include "vaetl/core/parallel.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/metrics/kernels/pull.hpp"

namespace vaetl::metrics {
namespace {

constexpr std::int64_t rows_at_once = 500, kept_dimensions = 50, exaggerated_steps = 250, points_at_once = 100;
constexpr double exaggeration = 12;

void check_points(const at::Tensor& points, std::int64_t least, const char* by) {
  if (points.dim() != 2 || points.size(0) < least) {
    throw DataError({by, fmt::format("points (N, F), {} at least", least), shape_text(points.sizes().vec()), {}});
  }
  if (!points.isfinite().all().item<bool>()) throw DataError({by, "finite values", "others", {}});
}

at::Tensor squared_distances(const at::Tensor& from, const at::Tensor& to) {
  return at::addmm(to.square().sum(1).unsqueeze(0), from, to.t(), 1, -2)
      .add_(from.square().sum(1).unsqueeze(1))
      .clamp_min_(0);
}

// p_j|i of a block of rows by squared distances, at the precision β_i that has the perplexity: by bisection.
at::Tensor neighbour_shares(at::Tensor distances, std::int64_t first, double perplexity) {
  const std::int64_t count = distances.size(0);
  const at::Tensor rows = at::arange(count, at::kLong), own = rows + first;
  distances.index_put_({rows, own}, at::scalar_tensor(std::numeric_limits<double>::infinity(), at::kDouble));
  distances -= std::get<0>(distances.min(1, true));
  distances.index_put_({rows, own}, at::scalar_tensor(0, at::kDouble));
  const double wanted = std::log(perplexity);
  at::Tensor beta = at::ones({count, 1}, at::kDouble), low = at::zeros_like(beta);
  at::Tensor high = at::full_like(beta, std::numeric_limits<double>::infinity()), shares;
  for (int step = 0; step < 100; ++step) {
    shares = distances.mul(-beta).exp_();
    shares.index_put_({rows, own}, at::scalar_tensor(0, at::kDouble));
    const at::Tensor sum = shares.sum(1, true);
    shares.div_(sum);
    const at::Tensor entropy = sum.log() + beta * (distances * shares).sum(1, true), over = entropy - wanted;
    if (over.abs().max().item<double>() < 1e-5) break;
    low = at::where(over.gt(0), beta, low);
    high = at::where(over.gt(0), high, beta);
    beta = at::where(high.isinf(), beta * 2, (low + high) / 2);
  }
  return shares;
}

// p_ij, float32 (N, N).
at::Tensor joint_shares(const at::Tensor& points, double perplexity) {
  const std::int64_t count = points.size(0);
  const at::Tensor exact = points.to(at::kDouble), conditional = at::empty({count, count}, at::kFloat);
  for (std::int64_t first = 0; first < count; first += rows_at_once) {
    const std::int64_t size = std::min(rows_at_once, count - first);
    conditional.narrow(0, first, size)
        .copy_(neighbour_shares(squared_distances(exact.narrow(0, first, size), exact), first, perplexity));
  }
  return (conditional + conditional.t()).div_(2.0 * static_cast<double>(count)).clamp_min_(1e-12);
}

// One descent. What a point feels is summed by itself, so that no number of threads changes the map.
class Descent {
 public:
  Descent(at::Tensor shares, const at::Tensor& start)
      : shares_(std::move(shares)),
        places_(start.t().contiguous()),
        pulls_(static_cast<std::size_t>(start.size(0))),
        moves_(2 * pulls_.size()),
        rate_(std::max(static_cast<float>(pulls_.size() / exaggeration / 4), 50.0F)) {}

  void step(bool early) {
    find_pulls();
    double near = 0;
    for (const kernels::Pull& pull : pulls_) near += pull.near;
    const auto attraction = static_cast<float>(early ? exaggeration : 1),
               repulsion = static_cast<float>(1 / std::max(near, 1e-30));
    const float momentum = early ? 0.5F : 0.8F;
    for (int axis = 0; axis < 2; ++axis) {
      for (std::size_t i = 0; i < pulls_.size(); ++i) {
        const float slope = 4 * (attraction * pulls_[i].attraction[axis] - repulsion * pulls_[i].repulsion[axis]);
        move(axis * pulls_.size() + i, slope, momentum);
      }
    }
    places_ -= places_.mean(1, true);
  }

  // Where the function changes, what was learnt of its slope is forgotten.
  void forget() { moves_.assign(moves_.size(), {}); }

  at::Tensor places() const { return places_.t().contiguous(); }

 private:
  struct Move {
    float speed = 0, gain = 1;
  };

  // Of 4 Σ_j (f p_ij − q_ij) (1 + ‖y_i − y_j‖²)⁻¹ (y_i − y_j), the sums.
  void find_pulls() {
    const std::int64_t count = std::ssize(pulls_);
    const auto *x = places_.const_data_ptr<float>(), *shares = shares_.const_data_ptr<float>();
    parallel_ranges(count, points_at_once, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        pulls_[static_cast<std::size_t>(i)] = kernels::pull_on(i, x, x + count, shares + i * count, count);
      }
    });
  }

  void move(std::size_t coordinate, float slope, float momentum) {
    auto& [speed, gain] = moves_[coordinate];
    gain = std::max(slope * speed < 0 ? gain + 0.2F : gain * 0.8F, 0.01F);
    speed = momentum * speed - gain * slope * rate_;
    places_.data_ptr<float>()[coordinate] += speed;
  }

  at::Tensor shares_, places_;  // (N, N), (2, N)
  std::vector<kernels::Pull> pulls_;
  std::vector<Move> moves_;  // of each coordinate
  float rate_;
};

// Ranks from 1 of the points `chosen` (M, k) among all by distance from each of M points; itself is none.
at::Tensor ranks_of(const at::Tensor& distances, const at::Tensor& chosen) {
  const at::Tensor sorted = std::get<0>(distances.sort(1));
  return at::searchsorted(sorted, distances.gather(1, chosen).contiguous()) + 1;
}

}  // namespace

at::Tensor principal_components(const at::Tensor& points, std::int64_t dimensions) {
  check_points(points, 2, "principal components");
  const at::NoGradGuard no_grad;
  const at::Tensor exact = points.to(at::kCPU, at::kDouble), centred = exact - exact.mean(0, true);
  const std::int64_t found = std::min({dimensions, points.size(1), points.size(0)});
  at::Tensor axes;  // (F, d)
  if (points.size(1) <= points.size(0)) {
    axes = std::get<1>(at::linalg_eigh(centred.t().mm(centred))).flip(1).narrow(1, 0, found);
  } else {
    const auto [values, vectors] = at::linalg_eigh(centred.mm(centred.t()));
    axes = centred.t().mm(vectors.flip(1).narrow(1, 0, found));
    axes = axes / axes.norm(2, at::IntArrayRef{0}, true).clamp_min(1e-300);
  }
  axes = axes * at::where(axes.gather(0, axes.abs().argmax(0, true)).lt(0), -1.0, 1.0);
  const at::Tensor map = centred.mm(axes);
  return at::constant_pad_nd(map, {0, dimensions - found}).to(at::kFloat);
}

at::Tensor tsne(const at::Tensor& points, const TsneOptions& given,
                const std::function<void(std::int64_t step)>& progress) {
  const auto options = from_json<TsneOptions>(to_json(given), "tsne");
  check_points(points, 4, "t-SNE");
  const std::int64_t count = points.size(0);
  if (count > most_tsne_points) {
    throw DataError({"t-SNE", fmt::format("at most {} points", most_tsne_points), fmt::format("{}", count),
                     "choose some of them by --count"});
  }
  const at::NoGradGuard no_grad;
  const at::Tensor own = points.to(at::kCPU, at::kFloat);
  const at::Tensor from = own.size(1) > kept_dimensions ? principal_components(own, kept_dimensions) : own;
  at::Tensor start = principal_components(own, 2);
  start = start / start.select(1, 0).std().clamp_min(1e-30) * 1e-4;
  Descent descent(joint_shares(from, std::min(options.perplexity, static_cast<double>(count - 1) / 3)), start);
  for (std::int64_t step = 0; step < options.iterations; ++step) {
    if (step == exaggerated_steps) descent.forget();
    descent.step(step < exaggerated_steps);
    if (progress) progress(step + 1);
  }
  return descent.places();
}

double trustworthiness(const at::Tensor& points, const at::Tensor& map, std::int64_t k) {
  const std::int64_t count = points.size(0);
  if (k < 1 || 2 * k >= count || map.size(0) != count) {
    throw DataError({"trustworthiness", "k below half of the number of points", fmt::format("{} of {}", k, count), {}});
  }
  const at::NoGradGuard no_grad;
  const at::Tensor far = points.to(at::kCPU, at::kDouble), near = map.to(at::kCPU, at::kDouble);
  const at::Tensor infinity = at::scalar_tensor(std::numeric_limits<double>::infinity(), at::kDouble);
  double excess = 0;
  for (std::int64_t first = 0; first < count; first += rows_at_once) {
    const std::int64_t size = std::min(rows_at_once, count - first);
    const at::Tensor rows = at::arange(size, at::kLong), own = rows + first;
    at::Tensor shown = squared_distances(near.narrow(0, first, size), near);
    at::Tensor real = squared_distances(far.narrow(0, first, size), far);
    shown.index_put_({rows, own}, infinity);
    real.index_put_({rows, own}, infinity);
    const at::Tensor chosen = std::get<1>(shown.topk(k, 1, /*largest=*/false));
    excess += (ranks_of(real, chosen) - k).clamp_min(0).sum().item<double>();
  }
  const auto n = static_cast<double>(count), own_k = static_cast<double>(k);
  return 1 - 2 / (n * own_k * (2 * n - 3 * own_k - 1)) * excess;
}

}  // namespace vaetl::metrics
