// Sharpness-aware minimisation over another optimiser (arXiv:2010.01412, algorithm 1, with p = 2): its gradient is that
// at the weights' neighbour of highest loss within a ball of radius ρ, to first order,
//   e = ρ g / ‖g‖, the norm over all parameters of the update;  g' = ∇L(θ + e);  θ ← base(θ, g')
// Every step evaluates its batches twice. Running statistics, carried states and logged terms are of the first time.
// Clipping acts on both gradients. ConfigError for a base that evaluates again itself.
//
//   "optimizer": {"name": "sam", "rho": 0.05, "base": {"name": "sgd", "lr": 0.1}}
#pragma once
#include <string_view>

#include "vaetl/train/optimizer.hpp"

namespace vaetl::optim {

class Sam final : public Optimizer {
 public:
  static constexpr std::string_view name = "sam";
  struct Options {
    double rho = 0.05;
    Spec<Optimizer> base = {"sgd"};
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{field("rho", &O::rho, "radius of the neighbourhood", at_least(0)),
                        field("base", &O::base, "the optimiser that makes the step, with its options")};
    }
    void validate();  // and completes the base
  };
  explicit Sam(const Options& options);
  void set_parameters(std::vector<ParameterSet> sets) override;
  void step(double scale, const Evaluation& evaluation = {}) override;
  bool evaluates_again() const override { return true; }
  std::map<std::string, at::Tensor> state() const override { return base_->state(); }
  void load_state(const std::map<std::string, at::Tensor>& state) override { base_->load_state(state); }

 private:
  double rho_;
  std::shared_ptr<Optimizer> base_;
  std::vector<at::Tensor> parameters_;
};

}  // namespace vaetl::optim
