#include "vaetl/objectives/restoration.hpp"

#include "vaetl/nn/restorer.hpp"

namespace vaetl::objectives {
namespace {

const std::string restoration_by = "objective restoration";

}  // namespace

Restoration::Restoration(const Options& options)
    : loss_(options.loss), corruption_(registry<Corruption>().make(options.corrupt, "corrupt")) {}

void Restoration::bind(Model& model, const Batch& example) {
  check_needs(needs(), model, example, restoration_by);
  const auto inputs = model.signature().inputs;
  if (const auto found = inputs.find("input"); found != inputs.end()) input_ = found->second;
}

Terms Restoration::terms(std::size_t /*update*/, Pass& pass) {
  const at::Tensor& x = pass.fields().input();
  Fields damaged = pass.fields();
  damaged.set("input", corruption_->apply(x, corruption_->draw(x), input_));
  const at::Tensor made = require<Restorer>(pass.model(), restoration_by).restore(damaged);
  const at::Tensor errors = loss_ == "absolute" ? (made - x).abs() : (made - x).square();
  return Terms{}.add("restoration", pass.mean(errors.flatten(1).mean(1)));
}

}  // namespace vaetl::objectives
