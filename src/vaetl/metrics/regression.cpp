#include "vaetl/metrics/regression.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/nn/targets.hpp"

namespace vaetl::metrics {
namespace {

// What multiplies values and differences as the model sees them.
at::Tensor own_units(const at::Tensor& values, const Fields& fields) {
  return fields.has("target.scale") ? values * fields["target.scale"].to(at::kDouble) : values;
}

// (N, O) float64, in the values' own units.
at::Tensor errors(Pass& pass, std::string_view metric) {
  const at::Tensor& predictions = pass.predictions();
  const at::Tensor values =
      target_values(pass.fields().target(), predictions, fmt::format("metric {}", metric)).to(at::kDouble);
  return own_units(predictions.to(at::kDouble) - values, pass.fields());
}

}  // namespace

void Rmse::update(Pass& pass) { mean_.add(errors(pass, name).square().mean(1), pass.fields()); }

void Mae::update(Pass& pass) { mean_.add(errors(pass, name).abs().mean(1), pass.fields()); }

// Moments are merged from batch to batch (Chan, Golub, LeVeque 1979).
void R2::update(Pass& pass) {
  const Fields& fields = pass.fields();
  const at::Tensor apart = errors(pass, name);
  const at::Tensor values = own_units(target_values(fields.target(), apart, "metric r2"), fields);
  const at::Tensor weights = fields.has("weight") ? fields["weight"].to(at::kDouble).unsqueeze(1)
                                                  : at::ones({values.size(0), 1}, values.options());
  const at::Tensor weight = weights.sum(), mean = (weights * values).sum(0) / weight.clamp_min(1e-300);
  const at::Tensor squares = (weights * (values - mean).square()).sum(0), residual = (weights * apart.square()).sum(0);
  if (!weight_.defined()) {
    weight_ = weight, mean_ = mean, squares_ = squares, residual_ = residual;
    return;
  }
  const at::Tensor step = mean - mean_, total = (weight_ + weight).clamp_min(1e-300);
  squares_ = squares_ + squares + step.square() * (weight_ * weight / total);
  mean_ = mean_ + step * (weight / total);
  residual_ = residual_ + residual;
  weight_ = weight_ + weight;
}

double R2::result() const {
  if (!weight_.defined() || weight_.item<double>() <= 0) {
    throw DataError({"metric r2", "at least one example with a weight above 0", "none", {}});
  }
  const at::Tensor varied = 1 - residual_ / squares_, constant = residual_.eq(0).to(at::kDouble);
  return at::where(squares_ > 0, varied, constant).mean().item<double>();
}

}  // namespace vaetl::metrics
