// The game of a generator and a critic (arXiv:1406.2661), in two updates a step: the critic's, then, on every
// critic_steps-th step, the generator's. s is the critic's score of data x ~ p or of what was generated g = G(z):
//
//   loss            the critic minimises                               the generator minimises
//   minimax         −log σ(s(x)) − log(1 − σ(s(g)))                    log(1 − σ(s(g)))        arXiv:1406.2661, eq. 1
//   non_saturating  the same                                           −log σ(s(g))            its section 3
//   least_squares   ½ (s(x) − 1)² + ½ s(g)²                            ½ (s(g) − 1)²           arXiv:1611.04076, eq. 9
//   hinge           max(0, 1 − s(x)) + max(0, 1 + s(g))                −s(g)                   arXiv:1705.02894
//   wasserstein     s(g) − s(x)                                        −s(g)                   arXiv:1701.07875
//
// The critic's further terms:
//   gradient_penalty λ:  λ (‖∇s(x̂)‖ − 1)², x̂ = x + u (g − x), u ~ U(0, 1) an example    arXiv:1704.00028, eq. 3
//   r1 γ:                ½ γ ‖∇s(x)‖²                                                    arXiv:1801.04406, eq. 9
//   clip c:              its weights are clipped to [−c, c] at the start of each update, which is after each of its
//   own:
//                        the generator only ever meets a clipped critic                  arXiv:1701.07875, algorithm 1
// Where the critic has an auxiliary classifier, both minimise `auxiliary` times its cross-entropy, the critic on data
// and on what was generated (arXiv:1610.09585, eq. 2). A conditional model generates the classes of the batch.
//
// Terms "critic", "gradient_penalty", "r1", "critic_class"; "generator", "generator_class"; logged "score_real" and
// "score_generated". While one half is updated the other's weights and gradients stand still, and so do the critic's
// running statistics in the generator's update. Where the generator's update follows the critic's, both look at the
// same generated examples, which are computed once.
//
//   Trainer({.epochs = 20, .batch_size = 64, .optimizer = {"adam", {{"lr", 2e-4}, {"beta1", 0.5}}}})
//       .fit(gan, make<objectives::Adversarial>({.loss = "hinge"}), data.train);
#pragma once
#include <vector>

#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class Adversarial final : public Objective {
 public:
  static constexpr std::string_view name = "adversarial";
  struct Options {
    std::string loss = "non_saturating";
    std::int64_t critic_steps = 1;
    double gradient_penalty = 0, r1 = 0, clip = 0, auxiliary = 1, label_smoothing = 0;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          choice("loss", &O::loss, "what the two play for",
                 {"non_saturating", "minimax", "least_squares", "hinge", "wasserstein"}),
          field("critic_steps", &O::critic_steps, "updates of the critic for each of the generator", between(1, 1e6)),
          field("gradient_penalty", &O::gradient_penalty, "weight of (gradient norm − 1)² between data and generated",
                at_least(0)),
          field("r1", &O::r1, "weight of half the squared gradient norm on data", at_least(0)),
          field("clip", &O::clip, "largest absolute weight of the critic; 0: no clipping", at_least(0)),
          field("auxiliary", &O::auxiliary, "weight of the auxiliary classifier's terms, where the critic has one",
                at_least(0)),
          field("label_smoothing", &O::label_smoothing,
                "how far the critic's target for data lies below 1; of losses with a target", between(0, 0.5))};
    }
    void validate() const;
  };

  explicit Adversarial(Options options) : options_(std::move(options)) {}
  Needs needs() const override { return {.capabilities = {"Generator", "Critic"}, .fields = {"input"}}; }
  std::vector<Update> updates() const override;
  void bind(Model& model, const Batch& example) override;  // ConfigError where the model has no two halves
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  Terms critic_terms(Pass& pass);
  Terms generator_terms(Pass& pass);
  at::Tensor generate_for_critic(Pass& pass, const at::Tensor& condition);
  void clip_critic(bool its_own_update);

  Options options_;
  at::Tensor generated_;                                 // in the critic's update, for the generator's of the same step
  std::vector<at::Tensor> critic_parameters_, clipped_;  // shared with the model; those of them that are trained
};

}  // namespace vaetl::objectives
