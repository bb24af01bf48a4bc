#include "vaetl/objectives/sparsity.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::objectives {
namespace {

constexpr double least_activity = 1e-6;

std::string range_text(const Range& range) {
  const Range open;
  if (range.low <= open.low && range.high >= open.high) return "codes without bounds";
  if (range.high >= open.high) return fmt::format("codes from {} on", range.low);
  if (range.low <= open.low) return fmt::format("codes up to {}", range.high);
  return fmt::format("codes from {} to {}", range.low, range.high);
}

// (N, Z) → (Z), weighted where the examples have weights.
at::Tensor mean_activity(const at::Tensor& code, const Fields& fields) {
  if (!fields.has("weight")) return code.mean(0);
  const at::Tensor weight = fields["weight"].to(code.scalar_type());
  return weight.matmul(code) / weight.sum().clamp_min(1e-30);
}

}  // namespace

void SparsityKl::bind(Model& model, const Batch& example) {
  check_needs(needs(), model, example, "objective sparsity_kl");
  const Range range = require<Encoder>(model).feature_range();
  if (range.low >= 0 && range.high <= 1) return;
  throw ConfigError({"objective sparsity_kl", "codes in [0, 1], whatever the weights",
                     fmt::format("{} of {}", range_text(range), quote(model.spec().name)),
                     "make them by a sigmoid (code_activation of an autoencoder), or choose sparsity_l1"});
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
