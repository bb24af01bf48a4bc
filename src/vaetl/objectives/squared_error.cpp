#include "vaetl/objectives/squared_error.hpp"

#include "vaetl/nn/targets.hpp"

namespace vaetl::objectives {
namespace {

const std::string squared_error_by = "objective squared_error";

at::Tensor losses(const SquaredError::Options& options, const at::Tensor& predictions, const at::Tensor& values) {
  if (options.loss == "absolute") return at::l1_loss(predictions, values, at::Reduction::None);
  if (options.loss == "huber") return at::huber_loss(predictions, values, at::Reduction::None, options.delta);
  return at::mse_loss(predictions, values, at::Reduction::None);
}

}  // namespace

void SquaredError::bind(Model& model, const Batch& example) {
  check_needs(needs(), model, example, squared_error_by);
  const at::Tensor& target = example.find("train")->second.target();
  target_values(target, at::empty({target.size(0), require<Regressor>(model).outputs()}), squared_error_by);
}

Terms SquaredError::terms(std::size_t /*update*/, Pass& pass) {
  const at::Tensor& predictions = pass.predictions();
  const at::Tensor values = target_values(pass.fields().target(), predictions, squared_error_by);
  const std::string term = options_.loss == "huber" ? "huber" : options_.loss + "_error";
  return Terms{}.add(term, pass.mean(losses(options_, predictions, values).mean(1)));
}

}  // namespace vaetl::objectives
