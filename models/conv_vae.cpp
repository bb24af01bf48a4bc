#include "vaetl/models/conv_vae.hpp"

#include "vaetl/models/cnn.hpp"
#include "vaetl/models/options.hpp"

namespace vaetl::models {

void ConvVae::Options::validate() const {
  conv_trunk(*this).validate(/*with_decoder=*/true);
  vae_settings(*this).validate(batch_norm);
}

ConvVae::ConvVae(const Options& options)
    : TrunkVae(vaetl::spec<ConvVae>(checked<ConvVae>(options)), conv_trunk(options), vae_settings(options)),
      options_(options) {}

ModelSpec ConvVae::classifier(std::int64_t classes) const {
  const Options& o = options_;
  return vaetl::spec<Cnn>({.input = o.input,
                           .channels = o.channels,
                           .kernel = o.kernel,
                           .downsample = o.downsample,
                           .dense = o.dense,
                           .activation = o.activation,
                           .batch_norm = o.batch_norm,
                           .classes = classes,
                           .insert = nn::insertions_within(o.insert, "encoder")});
}

}  // namespace vaetl::models
