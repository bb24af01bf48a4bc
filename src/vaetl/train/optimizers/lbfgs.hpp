// L-BFGS with a strong Wolfe line search, for small problems whose batch is all of the data (Nocedal and Wright,
// Numerical Optimization, 2nd ed., algorithms 7.4 and 7.5; options and steps as PyTorch's). All parameters are one
// vector x of n numbers; the last `history` pairs s = Δx, y = Δg stand for the inverse Hessian, 2 · history · n
// numbers. A step makes up to `iterations` of these:
//   d = −H g by the two loops over the pairs;  x ← x + t d,  t from the line search, which begins at η
//
// Every evaluation is of the step's batch with its noise, and its loss is read by the host: here a step does wait for
// the device. ConfigError for layer groups with rates of their own. Clipped gradients are no longer those of the loss:
// leave clipping off.
#pragma once
#include <string_view>

#include "vaetl/train/optimizer.hpp"

namespace vaetl::optim {

class Lbfgs final : public Optimizer {
 public:
  static constexpr std::string_view name = "lbfgs";
  struct Options {
    double lr = 1.0;
    std::int64_t iterations = 20, evaluations = 0, history = 100;
    double tolerance_grad = 1e-7, tolerance_change = 1e-9;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          field("lr", &O::lr, "where the line search begins", at_least(0)),
          field("iterations", &O::iterations, "at most, a step", between(1, 1e6)),
          field("evaluations", &O::evaluations, "at most, a step; 0: 5/4 of the iterations", between(0, 1e7)),
          field("history", &O::history, "pairs of changes that stand for the inverse Hessian", between(1, 1e4)),
          field("tolerance_grad", &O::tolerance_grad, "a step ends where no gradient is larger", at_least(0)),
          field("tolerance_change", &O::tolerance_change, "a step ends where loss or weights change by less",
                at_least(0))};
    }
  };
  explicit Lbfgs(Options options) : options_(options) {}
  void set_parameters(std::vector<ParameterSet> sets) override;
  void step(double scale, const Evaluation& evaluation = {}) override;
  bool evaluates_again() const override { return true; }
  std::map<std::string, at::Tensor> state() const override;
  void load_state(const std::map<std::string, at::Tensor>& state) override;

 private:
  struct Pair {
    at::Tensor change, step;  // y, s
    double inverse = 0;       // 1 / y·s
  };
  struct Memory {
    std::vector<std::string> names = {};  // of the parameters in the vector; of others the memory says nothing
    at::Tensor direction = {}, gradient = {};
    double t = 0, scale = 1;  // of the last step; of the first guess of the inverse Hessian
    std::int64_t iterations = 0;
    std::vector<Pair> pairs = {};
  };

  at::Tensor flat_gradient() const;
  at::Tensor flat_weights() const;
  void write(const at::Tensor& weights) const;
  bool any_gradient() const;
  void turn(const at::Tensor& gradient);  // the next direction
  void remember(const at::Tensor& gradient);

  Options options_;
  double lr_scale_ = 1;
  std::vector<std::string> names_;
  std::vector<at::Tensor> parameters_;
  Memory memory_;
};

}  // namespace vaetl::optim
