#include "vaetl/transfer/logistic.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/zeros.h>

#include "vaetl/train/optimizers/lbfgs.hpp"

namespace vaetl::detail {
namespace {

// The optimiser forgets pairs of changes whose product is below 1e-10, which here are those of the last digits: it is
// given so many times the loss.
constexpr double magnified = 1e6;

struct Derivatives {
  at::Tensor loss, weight, bias;
};

// Of weights that are scaled as the features are; the penalty of each is its own.
Derivatives derivatives(const Logistic& p, const at::Tensor& weight, const at::Tensor& bias,
                        const at::Tensor& penalty) {
  const at::Tensor log_p = at::log_softmax(at::addmm(bias, p.x, weight.t()), 1), index = p.labels.unsqueeze(1);
  const at::Tensor shares = p.weights.unsqueeze(1);
  const at::Tensor by_logit = (log_p.exp() * shares).scatter_add_(1, index, -shares);
  const at::Tensor pull = weight * penalty;
  return {-(log_p.gather(1, index) * shares).sum() + 0.5 * (pull * weight).sum(), at::addmm(pull, by_logit.t(), p.x),
          by_logit.sum(0)};
}

double largest_of(const at::Tensor& values) { return values.abs().max().item<double>(); }

}  // namespace

Solution solve(const Logistic& problem, const Solution& start, const SolveOptions& options) {
  const at::NoGradGuard no_grad;
  const at::Tensor variance = problem.x.var(/*dim=*/0, /*unbiased=*/false);
  const at::Tensor scale = (variance / static_cast<double>(problem.classes) + std::max(options.l2, 1e-12)).sqrt();
  const Logistic scaled{problem.x / scale, problem.labels, problem.weights, problem.classes};
  const at::Tensor penalty = options.l2 / scale.square();
  Solution s = start;
  const std::int64_t features = problem.x.size(1);
  s.weight = s.weight.defined() ? s.weight * scale : at::zeros({problem.classes, features}, problem.x.options());
  s.bias = s.bias.defined() ? s.bias.clone() : at::zeros({problem.classes}, problem.x.options());
  s.evaluations = 0;
  const auto evaluate = [&] {
    const Derivatives d = derivatives(scaled, s.weight, s.bias, penalty);
    s.weight.mutable_grad() = d.weight * magnified;
    s.bias.mutable_grad() = d.bias * magnified;
    ++s.evaluations;
    return d.loss * magnified;
  };
  optim::Lbfgs lbfgs({.iterations = options.iterations,
                      .history = 50,
                      .tolerance_grad = options.tolerance * magnified,
                      .tolerance_change = 1e-14 * magnified});
  lbfgs.set_parameters({{.names = {"weight", "bias"}, .parameters = {s.weight, s.bias}}});
  lbfgs.step(1, {evaluate(), evaluate});
  s.loss = evaluate().item<double>() / magnified;
  s.gradient = std::max(largest_of(s.weight.grad() * scale), largest_of(s.bias.grad())) / magnified;
  s.weight = s.weight / scale;
  s.bias = s.bias.detach().clone();
  return s;
}

at::Tensor logits(const Solution& solution, const at::Tensor& x) {
  return at::addmm(solution.bias, x, solution.weight.t());
}

}  // namespace vaetl::detail
