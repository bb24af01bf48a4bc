#include "vaetl/objectives/adversarial.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softplus.h>
#include <torch/csrc/autograd/autograd.h>

#include <utility>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/fused.hpp"
#include "vaetl/nn/second_gradients.hpp"
#include "vaetl/nn/statistics.hpp"

namespace vaetl::objectives {
namespace {

constexpr std::size_t critic_update = 0;

using Score = const at::Tensor&;

// What each side minimises, an example (N) of scores (N). `target` is what data should score as a probability or a
// value: 1, or less by label smoothing.
struct GameLoss {
  std::string_view name;
  bool has_target;
  at::Tensor (*of_real)(Score, double target);
  at::Tensor (*of_generated)(Score);
  at::Tensor (*of_generator)(Score);
};

at::Tensor off_target(Score s, double target) { return 0.5 * (s - target).square(); }

// −log σ(s) = softplus(−s), −log(1 − σ(s)) = softplus(s).
at::Tensor real_by_logit(Score s, double target) {
  const at::Tensor right = at::softplus(-s);
  return target == 1 ? right : target * right + (1 - target) * at::softplus(s);
}

constexpr GameLoss game_losses[] = {
    {"non_saturating", true, real_by_logit, [](Score s) { return at::softplus(s); },
     [](Score s) { return at::softplus(-s); }},
    {"minimax", true, real_by_logit, [](Score s) { return at::softplus(s); }, [](Score s) { return -at::softplus(s); }},
    {"least_squares", true, off_target, [](Score s) { return off_target(s, 0); },
     [](Score s) { return off_target(s, 1); }},
    {"hinge", false, [](Score s, double) { return at::relu(1 - s); }, [](Score s) { return at::relu(1 + s); },
     [](Score s) { return -s; }},
    {"wasserstein", false, [](Score s, double) { return -s; }, [](Score s) { return s; }, [](Score s) { return -s; }}};

const GameLoss& game_loss(const std::string& name) {
  return *std::find_if(std::begin(game_losses), std::end(game_losses) - 1,
                       [&](const GameLoss& loss) { return loss.name == name; });
}

// ∇ₓ score of each example, flat (N, F), with a graph of its own for the gradient's gradient.
at::Tensor slope_at(Critic& critic, const at::Tensor& x, const at::Tensor& condition) {
  const nn::KeepStatistics keep;  // of points that are neither data nor generated
  const nn::SecondGradients wanted;
  const at::Tensor point = x.detach().requires_grad_();
  const at::Tensor score = critic.judge(point, condition).score;
  const auto slope = torch::autograd::grad({score.sum()}, {point}, {}, /*retain_graph=*/true, /*create_graph=*/true);
  return slope[0].flatten(1);
}

at::Tensor on_the_way(const at::Tensor& real, const at::Tensor& generated) {
  std::vector<std::int64_t> one_each(static_cast<std::size_t>(real.dim()), 1);
  one_each[0] = real.size(0);
  return at::lerp(real, generated, at::rand(one_each, real.options()));
}

at::Tensor generate_batch(Pass& pass, const at::Tensor& condition) {
  auto& generator = require<Generator>(pass.model());
  const at::Tensor& real = pass.fields().input();
  return generator.generate(at::randn({real.size(0), generator.noise_size()}, real.options()), condition);
}

at::Tensor class_loss(const at::Tensor& logits, const at::Tensor& condition) {
  return nn::cross_entropy(logits, condition);
}

}  // namespace

void Adversarial::Options::validate() const {
  if (label_smoothing > 0 && !game_loss(loss).has_target) {
    throw ConfigError({"label_smoothing", "0 with the loss " + quote(loss) + ", which has no target",
                       fmt::format("{}", label_smoothing), "choose non_saturating, minimax or least_squares"});
  }
}

std::vector<Update> Adversarial::updates() const {
  return {{.name = "critic", .groups = {"critic*"}, .ahead = true},
          {.name = "generator", .groups = {"generator*"}, .every = options_.critic_steps}};
}

void Adversarial::bind(Model& model, const Batch& /*example*/) {
  const std::string by = "objective adversarial";
  match_groups(model, "generator*", by);
  const auto groups = match_groups(model, "critic*", by);
  critic_parameters_.clear();
  for (const auto& item : model.named_parameters()) {
    const bool critics = std::count(groups.begin(), groups.end(), group_of(model, item.key())) > 0;
    if (critics) critic_parameters_.push_back(item.value());
  }
}

// Those of its weights that its own update trains: what is frozen stays as it is.
void Adversarial::clip_critic(bool its_own_update) {
  if (options_.clip <= 0) return;
  if (its_own_update) {
    clipped_.clear();
    for (const at::Tensor& parameter : critic_parameters_) {
      if (parameter.requires_grad()) clipped_.push_back(parameter);
    }
  }
  if (clipped_.empty()) return;
  const at::NoGradGuard no_grad;
  at::_foreach_clamp_min_(clipped_, -options_.clip);
  at::_foreach_clamp_max_(clipped_, options_.clip);
}

// For the critic, and where the generator's update follows, with the graph that it goes on from.
at::Tensor Adversarial::generate_for_critic(Pass& pass, const at::Tensor& condition) {
  generated_.reset();
  if (pass.ahead()) {
    generated_ = generate_batch(pass, condition);
    return generated_.detach();
  }
  const at::NoGradGuard no_grad;
  const nn::KeepStatistics keep;
  return generate_batch(pass, condition);
}

Terms Adversarial::critic_terms(Pass& pass) {
  auto& critic = require<Critic>(pass.model());
  const GameLoss& loss = game_loss(options_.loss);
  const at::Tensor condition = pass.condition();
  const at::Tensor& real = pass.fields().input();
  const at::Tensor generated = generate_for_critic(pass, condition);
  const Judgement of_real = critic.judge(real, condition), of_generated = critic.judge(generated, condition);
  Terms terms;
  terms.add("critic", pass.mean(loss.of_real(of_real.score, 1 - options_.label_smoothing)) +
                          pass.mean(loss.of_generated(of_generated.score)));
  if (options_.gradient_penalty > 0) {
    const at::Tensor slope = slope_at(critic, on_the_way(real, generated), condition);
    terms.add("gradient_penalty", options_.gradient_penalty * pass.mean((slope.norm(2, {1}) - 1).square()));
  }
  if (options_.r1 > 0)
    terms.add("r1", 0.5 * options_.r1 * pass.mean(slope_at(critic, real, condition).square().sum(1)));
  if (of_real.logits.defined() && options_.auxiliary > 0) {
    terms.add("critic_class", options_.auxiliary * (pass.mean(class_loss(of_real.logits, condition)) +
                                                    pass.mean(class_loss(of_generated.logits, condition))));
  }
  return terms.log("score_real", pass.mean(of_real.score)).log("score_generated", pass.mean(of_generated.score));
}

Terms Adversarial::generator_terms(Pass& pass) {
  const at::Tensor condition = pass.condition();
  const at::Tensor generated =
      generated_.defined() ? std::exchange(generated_, at::Tensor()) : generate_batch(pass, condition);
  const nn::KeepStatistics keep;
  const Judgement judgement = require<Critic>(pass.model()).judge(generated, condition);
  Terms terms;
  terms.add("generator", pass.mean(game_loss(options_.loss).of_generator(judgement.score)));
  if (judgement.logits.defined() && options_.auxiliary > 0) {
    terms.add("generator_class", options_.auxiliary * pass.mean(class_loss(judgement.logits, condition)));
  }
  return terms;
}

Terms Adversarial::terms(std::size_t update, Pass& pass) {
  clip_critic(update == critic_update);
  return update == critic_update ? critic_terms(pass) : generator_terms(pass);
}

}  // namespace vaetl::objectives
