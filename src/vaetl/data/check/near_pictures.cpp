#include "vaetl/data/check/near_pictures.hpp"
#include "vaetl/core/parallel.hpp"

#include <ATen/ATen.h>

namespace vaetl::data {
namespace {

constexpr std::int64_t directions = 48, sample = 1024, values_at_once = std::int64_t{1} << 20;
constexpr std::int64_t lanes = 16,
                       stride = 8;  // points of a leaf; directions from one look at the distance to the next
static_assert(directions % stride == 0);
// Of one search: found pairs, correlations, leaves.
constexpr std::int64_t most_found = 8, most_correlations = 512, most_leaves = 3000;

struct Move {
  std::int64_t y = 0, x = 0;
};
// The other four are these seen from the other picture.
constexpr Move moves[] = {{0, 0}, {0, 1}, {1, -1}, {1, 0}, {1, 1}};

// (N, D): mean 0, length 1; zeros where all values are equal.
at::Tensor unit_rows(const at::Tensor& pictures, Move move) {
  const std::int64_t h = pictures.size(2) - 2, w = pictures.size(3) - 2;
  const at::Tensor inside = pictures.slice(2, 1 + move.y, 1 + move.y + h).slice(3, 1 + move.x, 1 + move.x + w);
  const at::Tensor rows = inside.flatten(1).to(at::kFloat);
  const at::Tensor centred = rows - rows.mean(1, /*keepdim=*/true);
  return centred / centred.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-3);
}

// (D, directions), orthonormal: where a sample of the pictures varies most, by the eigenvectors of its inner products;
// zeros behind those that there are.
at::Tensor main_directions(const at::Tensor& pictures) {
  const std::int64_t count = std::min(pictures.size(0), sample);
  const at::Tensor index = at::arange(count, at::kLong) * pictures.size(0) / count;
  const at::Tensor rows = unit_rows(pictures.index_select(0, index.to(at::kLong)), {}).to(at::kDouble);
  const auto [values, vectors] = at::linalg_eigh(rows.mm(rows.t()));
  const std::int64_t usable = values.gt(1e-6 * std::max(1e-9, values.max().item<double>())).sum().item<std::int64_t>();
  const std::int64_t k = std::min({directions, usable, rows.size(1)});
  const at::Tensor scale = values.slice(0, count - k).sqrt();
  const at::Tensor basis = rows.t().mm(vectors.slice(1, count - k)).div(scale).flip({1}).to(at::kFloat);
  return at::constant_pad_nd(basis, {0, directions - k}).contiguous();
}

at::Tensor project(const at::Tensor& pictures, Move move, const at::Tensor& basis) {
  at::Tensor result = at::empty({pictures.size(0), directions}, at::kFloat);
  const std::int64_t step = std::max<std::int64_t>(1, values_at_once / basis.size(0));
  for (std::int64_t start = 0; start < pictures.size(0); start += step) {
    const std::int64_t count = std::min(step, pictures.size(0) - start);
    at::Tensor rows = result.narrow(0, start, count);
    at::mm_out(rows, unit_rows(pictures.narrow(0, start, count), move), basis);
  }
  return result;
}

// Points in a tree of halves: everything within a distance of a query.
class Tree {
 public:
  explicit Tree(const at::Tensor& points) : order_(static_cast<std::size_t>(points.size(0))) {
    std::iota(order_.begin(), order_.end(), 0);
    build(points.const_data_ptr<float>(), 0, static_cast<std::int64_t>(order_.size()));
  }

  // The points, neighbours near each other.
  const std::vector<std::int64_t>& order() const { return order_; }

  // Calls `take` with every point within the square root of `limit`, until that says false; false where the effort was
  // limited.
  template <class Take>
  bool search(const float* query, float limit, Take&& take) const {
    std::array<float, directions> beyond{};  // of the query along each axis, from the node
    std::int64_t left = most_leaves;
    visit(0, query, limit, 0, beyond, left, take);
    return left > 0;
  }

 private:
  struct Node {
    std::int64_t begin = 0, end = 0, right = 0;  // the left child comes next; right 0: a leaf
    std::int64_t axis = 0, block = 0;            // of a node; of a leaf
    float split = 0;
  };

  std::int64_t widest(const float* values, std::int64_t begin, std::int64_t end) const {
    std::array<float, directions> low, high;
    low.fill(INFINITY), high.fill(-INFINITY);
    for (std::int64_t i = begin; i < end; ++i) {
      const float* point = values + order_[static_cast<std::size_t>(i)] * directions;
      for (std::size_t d = 0; d < directions; ++d) {
        low[d] = std::min(low[d], point[d]);
        high[d] = std::max(high[d], point[d]);
      }
    }
    for (std::size_t d = 0; d < directions; ++d) high[d] -= low[d];
    return std::max_element(high.begin(), high.end()) - high.begin();
  }

  void build(const float* values, std::int64_t begin, std::int64_t end) {
    const std::size_t self = nodes_.size();
    nodes_.push_back({begin, end});
    if (end - begin <= lanes) return fill(values, nodes_[self]);
    const std::int64_t axis = widest(values, begin, end), middle = begin + (end - begin) / 2;
    auto value = [&](std::int64_t point) { return values[point * directions + axis]; };
    std::nth_element(order_.begin() + begin, order_.begin() + middle, order_.begin() + end,
                     [&](std::int64_t a, std::int64_t b) { return std::pair(value(a), a) < std::pair(value(b), b); });
    nodes_[self].axis = axis;
    nodes_[self].split = value(order_[static_cast<std::size_t>(middle)]);
    build(values, begin, middle);
    nodes_[self].right = static_cast<std::int64_t>(nodes_.size());
    build(values, middle, end);
  }

  // Direction by direction, the points side by side; empty lanes are far from everything.
  void fill(const float* values, Node& leaf) {
    leaf.block = static_cast<std::int64_t>(blocks_.size());
    blocks_.resize(blocks_.size() + directions * lanes, 1e6f);
    for (std::int64_t i = leaf.begin; i < leaf.end; ++i) {
      const float* point = values + order_[static_cast<std::size_t>(i)] * directions;
      for (std::int64_t d = 0; d < directions; ++d) {
        blocks_[static_cast<std::size_t>(leaf.block + d * lanes + i - leaf.begin)] = point[d];
      }
    }
  }

  template <class Take>
  bool scan(const Node& leaf, const float* query, float limit, std::int64_t& left, Take&& take) const {
    if (--left <= 0) return false;
    const float* block = blocks_.data() + leaf.block;
    float distance[lanes] = {};
    for (std::int64_t d = 0; d < directions; d += stride) {
      for (std::int64_t e = d; e < d + stride; ++e) {
        for (std::int64_t i = 0; i < lanes; ++i) {
          const float step = block[e * lanes + i] - query[e];
          distance[i] += step * step;
        }
      }
      if (*std::min_element(distance, distance + lanes) > limit) return true;
    }
    for (std::int64_t i = 0; i < leaf.end - leaf.begin; ++i) {
      if (distance[i] <= limit && !take(order_[static_cast<std::size_t>(leaf.begin + i)])) return false;
    }
    return true;
  }

  // `distance`: from the query to the box of the node, squared.
  template <class Take>
  bool visit(std::int64_t at, const float* query, float limit, float distance, std::array<float, directions>& beyond,
             std::int64_t& left, Take&& take) const {
    const Node& node = nodes_[static_cast<std::size_t>(at)];
    if (node.right == 0) return scan(node, query, limit, left, take);
    const auto axis = static_cast<std::size_t>(node.axis);
    const float step = query[axis] - node.split, old = beyond[axis];
    const std::int64_t near = step < 0 ? at + 1 : node.right, far = step < 0 ? node.right : at + 1;
    if (!visit(near, query, limit, distance, beyond, left, take)) return false;
    const float farther = distance - old * old + step * step;
    if (farther > limit) return true;
    beyond[axis] = step;
    const bool more = visit(far, query, limit, farther, beyond, left, take);
    beyond[axis] = old;
    return more;
  }

  std::vector<std::int64_t> order_;
  std::vector<Node> nodes_ = {};
  std::vector<float> blocks_ = {};
};

// ρ from the pixels, for one move.
class Correlation {
 public:
  explicit Correlation(const at::Tensor& pictures)
      : values_(pictures.const_data_ptr<std::uint8_t>()),
        channels_(pictures.size(1)),
        height_(pictures.size(2)),
        width_(pictures.size(3)) {}

  double operator()(std::int64_t a, Move move, std::int64_t b) const {
    std::int64_t sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
    for (std::int64_t c = 0; c < channels_; ++c) {
      for (std::int64_t y = 1; y + 1 < height_; ++y) {
        const std::uint8_t *pa = row(a, c, y + move.y) + move.x, *pb = row(b, c, y);
        int row_a = 0, row_b = 0, row_aa = 0, row_bb = 0, row_ab = 0;
        for (std::int64_t x = 1; x + 1 < width_; ++x) {
          row_a += pa[x], row_b += pb[x];
          row_aa += pa[x] * pa[x], row_bb += pb[x] * pb[x], row_ab += pa[x] * pb[x];
        }
        sum_a += row_a, sum_b += row_b, aa += row_aa, bb += row_bb, ab += row_ab;
      }
    }
    const auto count = static_cast<double>(channels_ * (height_ - 2) * (width_ - 2));
    const auto centred = [&](std::int64_t product, std::int64_t x, std::int64_t y) {
      return static_cast<double>(product) - static_cast<double>(x) * static_cast<double>(y) / count;
    };
    const double scale = centred(aa, sum_a, sum_a) * centred(bb, sum_b, sum_b);
    return scale > 0 ? centred(ab, sum_a, sum_b) / std::sqrt(scale) : 0;
  }

 private:
  const std::uint8_t* row(std::int64_t n, std::int64_t c, std::int64_t y) const {
    return values_ + ((n * channels_ + c) * height_ + y) * width_;
  }
  const std::uint8_t* values_;
  std::int64_t channels_, height_, width_;
};

// Each pair once, with its best correlation.
std::vector<NearPair> united(const std::vector<std::vector<NearPair>>& found) {
  std::vector<NearPair> all;
  for (const auto& part : found) all.insert(all.end(), part.begin(), part.end());
  std::sort(all.begin(), all.end(), [](const NearPair& x, const NearPair& y) {
    return std::tuple(x.a, x.b, -x.correlation) < std::tuple(y.a, y.b, -y.correlation);
  });
  const auto same = [](const NearPair& x, const NearPair& y) { return x.a == y.a && x.b == y.b; };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  return all;
}

}  // namespace

NearPairs near_pictures(const at::Tensor& given, double correlation) {
  const at::Tensor pictures = given.contiguous();
  const std::int64_t count = pictures.size(0);
  if (count < 2) return {};
  const at::Tensor basis = main_directions(pictures);
  const Tree tree(project(pictures, {}, basis));
  const Correlation measure(pictures);
  const auto limit = static_cast<float>(2.0 * (1.0 - correlation) * 1.02);  // 1 % on the distance for rounding
  std::vector<std::vector<NearPair>> found(static_cast<std::size_t>(count));
  std::atomic<std::int64_t> incomplete = 0;
  for (const Move move : moves) {
    const at::Tensor queries = project(pictures, move, basis);
    const auto search = [&](std::int64_t i) {
      std::int64_t pairs = 0, measured = 0;
      const bool whole = tree.search(queries.const_data_ptr<float>() + i * directions, limit, [&](std::int64_t other) {
        if (other == i || (move.y == 0 && move.x == 0 && other < i)) return true;
        const double rho = measure(i, move, other);
        if (rho >= correlation) {
          found[static_cast<std::size_t>(i)].push_back({std::min(i, other), std::max(i, other), rho});
          ++pairs;
        }
        return ++measured < most_correlations && pairs < most_found;
      });
      if (pairs < most_found && (!whole || measured == most_correlations)) ++incomplete;
    };
    parallel_for(count, [&](std::int64_t i) { search(tree.order()[static_cast<std::size_t>(i)]); });
  }
  return {united(found), incomplete};
}

}  // namespace vaetl::data
