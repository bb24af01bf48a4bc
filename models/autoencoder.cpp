#include "vaetl/models/autoencoder.hpp"

#include "vaetl/models/mlp.hpp"
#include "vaetl/models/options.hpp"

namespace vaetl::models {
namespace {

DenseTrunk autoencoder_trunk(const Autoencoder::Options& o) {
  return {
      .input = o.input, .widths = o.widths, .activation = o.activation, .batch_norm = o.batch_norm, .insert = o.insert};
}

}  // namespace

void Autoencoder::Options::validate() const {
  autoencoder_trunk(*this).validate(/*with_decoder=*/true);
  code_of(*this).validate();
}

Autoencoder::Autoencoder(const Options& options)
    : TrunkAutoencoder(vaetl::spec<Autoencoder>(checked<Autoencoder>(options)), autoencoder_trunk(options),
                       code_of(options), options.output),
      options_(options) {}

ModelSpec Autoencoder::classifier(std::int64_t classes) const {
  const Options& o = options_;
  return vaetl::spec<Mlp>({.input = o.input,
                           .widths = o.widths,
                           .activation = o.activation,
                           .batch_norm = o.batch_norm,
                           .code = code_of(o),
                           .classes = classes,
                           .insert = nn::insertions_within(o.insert, "encoder")});
}

}  // namespace vaetl::models
