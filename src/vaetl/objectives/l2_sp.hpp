// Weights drawn back to where they started (arXiv:1802.01483, equations 2 and 3, L2-SP). With w what came from the
// source, w⁰ its values there, and v what is new, such as a head,
//   α / 2 ‖w − w⁰‖² + β / 2 ‖v‖²
// over all their values, biases and norms included. Term "l2_sp". What stands still at a step adds nothing to it.
//
// w⁰ is what the model has at bind(), before the first step; a checkpoint holds it. The optimiser's own weight decay
// draws to 0 and is best left out of it (TuningRule::weight_decay_scale).
//
//   auto objective = make<objectives::CrossEntropy>() + make<objectives::L2Sp>({.alpha = 0.1});
#pragma once
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class L2Sp final : public Objective {
 public:
  static constexpr std::string_view name = "l2_sp";
  struct Options {
    double alpha = 0.001;
    double beta = 0.01;
    std::string groups = "backbone";
    static constexpr auto fields() {
      return std::tuple{
          field("alpha", &Options::alpha, "α, pull to the start", at_least(0)),
          field("beta", &Options::beta, "β, pull of all else to 0", at_least(0)),
          field("groups", &Options::groups, "layer groups, by pattern, that are drawn to their start; the rest to 0")};
    }
  };

  explicit L2Sp(Options options) : options_(std::move(options)) {}
  Needs needs() const override { return {}; }
  void bind(Model& model, const Batch& example) override;  // ConfigError for a pattern that matches nothing
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  Options options_;
  std::shared_ptr<torch::nn::Module> start_;        // its buffers are w⁰
  std::vector<at::Tensor> drawn_, starts_, fresh_;  // w, w⁰, v
};

}  // namespace vaetl::objectives
