#include "vaetl/objectives/reconstruction.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/nn/likelihood.hpp"
#include "vaetl/nn/rebuild.hpp"
#include "vaetl/nn/sequence.hpp"

namespace vaetl::objectives {
namespace {
const std::string reconstruction_by = "objective reconstruction";
}

Reconstruction::Reconstruction(const Options& options) : loss_(options.loss) {
  if (!options.corrupt.name.empty()) corruption_ = registry<Corruption>().make(options.corrupt, "corrupt");
}

void Reconstruction::bind(Model& model, const Batch& example) {
  check_needs(needs(), model, example, reconstruction_by);
  const auto inputs = model.signature().inputs;
  if (const auto found = inputs.find("input"); found != inputs.end()) input_ = found->second;
}

std::shared_ptr<Likelihood> Reconstruction::rebuilt(Pass& pass) const {
  if (!corruption_) return rebuild(pass, reconstruction_by);
  const at::Tensor& x = pass.fields().input();
  Fields corrupted = pass.fields();
  corrupted.set("input", corruption_->apply(x, corruption_->draw(x), input_));
  return decode_code(pass, require<Encoder>(pass.model()).encode(corrupted), reconstruction_by);
}

at::Tensor Reconstruction::losses(const Likelihood& likelihood, const Fields& fields) const {
  const at::Tensor& x = fields.input();
  if (loss_ == "mse") {
    if (x.is_floating_point()) {
      return nn::mean_squared_error(likelihood, fields, reconstruction_by);
    }
    throw ConfigError(
        {reconstruction_by, "values to be rebuilt, for the loss mse", "token ids", "set loss to likelihood"});
  }
  if (loss_ == "cross_entropy" && !likelihood.has_logits()) {
    throw ConfigError({reconstruction_by, "a decoder that puts out logits, for the loss cross_entropy",
                       "one of another kind", "set the model's output to sigmoid, or loss to mse"});
  }
  return -nn::mean_log_prob(likelihood, fields, reconstruction_by);
}

Terms Reconstruction::terms(std::size_t /*update*/, Pass& pass) {
  return Terms{}.add("reconstruction", pass.mean(losses(*rebuilt(pass), pass.fields())));
}

}  // namespace vaetl::objectives
