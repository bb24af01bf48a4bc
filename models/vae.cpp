#include "vaetl/models/vae.hpp"

#include "vaetl/models/mlp.hpp"
#include "vaetl/models/options.hpp"

namespace vaetl::models {
namespace {

DenseTrunk trunk(const Vae::Options& o) {
  return {.input = o.input, .widths = o.widths, .activation = o.activation, .insert = o.insert};
}

}  // namespace

void Vae::Options::validate() const {
  trunk(*this).validate(/*with_decoder=*/true);
  vae_settings(*this).validate(/*batch_norm=*/false);
}

Vae::Vae(const Options& options)
    : TrunkVae(vaetl::spec<Vae>(checked<Vae>(options)), trunk(options), vae_settings(options)), options_(options) {}

ModelSpec Vae::classifier(std::int64_t classes) const {
  return vaetl::spec<Mlp>({.input = options_.input,
                           .widths = options_.widths,
                           .activation = options_.activation,
                           .classes = classes,
                           .insert = nn::insertions_within(options_.insert, "encoder")});
}

}  // namespace vaetl::models
