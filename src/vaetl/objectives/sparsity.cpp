#include "vaetl/objectives/sparsity.hpp"

#include <ATen/core/grad_mode.h>

namespace vaetl::objectives {
namespace {

constexpr double least_activity = 1e-6;

// Evaluation mode for a look at the codes: batch statistics are not to move.
class SparsityEvaluation {
 public:
  explicit SparsityEvaluation(Model& model) : model_(model), training_(model.is_training()) {
    for (auto& module : model.modules(/*include_self=*/false)) modes_.emplace_back(module, module->is_training());
    model.eval();
  }
  ~SparsityEvaluation() {
    model_.train(training_);
    for (auto& [module, training] : modes_) module->train(training);
  }
  SparsityEvaluation(const SparsityEvaluation&) = delete;
  SparsityEvaluation& operator=(const SparsityEvaluation&) = delete;

 private:
  Model& model_;
  bool training_;
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> modes_;  // parents before children
};

// (N, Z) → (Z), weighted where the examples have weights.
at::Tensor mean_activity(const at::Tensor& code, const Fields& fields) {
  if (!fields.has("weight")) return code.mean(0);
  const at::Tensor weight = fields["weight"].to(code.scalar_type());
  return weight.matmul(code) / weight.sum().clamp_min(1e-30);
}

}  // namespace

void SparsityKl::bind(Model& model, const Batch& example) {
  check_needs(needs(), model, example, "objective sparsity_kl");
  const at::NoGradGuard no_grad;
  const SparsityEvaluation evaluation(model);
  Pass pass(model, example);
  const double low = pass.features().min().item<double>(), high = pass.features().max().item<double>();
  if (low >= 0 && high <= 1) return;
  throw ConfigError({"objective sparsity_kl", "codes in [0, 1]", fmt::format("from {:.3g} to {:.3g}", low, high),
                     "set the model's code_activation to sigmoid, or choose sparsity_l1"});
}

Terms SparsityKl::terms(std::size_t /*update*/, Pass& pass) {
  const double rho = options_.rho;
  const at::Tensor activity = mean_activity(pass.features(), pass.fields());
  const at::Tensor kept = activity.clamp(least_activity, 1 - least_activity);
  const at::Tensor cross = kept.log() * rho + (1 - kept).log() * (1 - rho);
  const double negative_entropy = rho * std::log(rho) + (1 - rho) * std::log(1 - rho);
  return Terms{}.add("sparsity", (negative_entropy - cross).sum()).log("activity", activity.detach().mean());
}

Terms SparsityL1::terms(std::size_t /*update*/, Pass& pass) {
  return Terms{}.add("sparsity", pass.mean(pass.features().abs().sum(1)));
}

}  // namespace vaetl::objectives
