#include "vaetl/models/conv_autoencoder.hpp"

#include "vaetl/models/cnn.hpp"
#include "vaetl/models/options.hpp"

namespace vaetl::models {

void ConvAutoencoder::Options::validate() const {
  conv_trunk(*this).validate(/*with_decoder=*/true);
  code_of(*this).validate();
}

ConvAutoencoder::ConvAutoencoder(const Options& options)
    : TrunkAutoencoder(vaetl::spec<ConvAutoencoder>(checked<ConvAutoencoder>(options)), conv_trunk(options),
                       code_of(options), options.output),
      options_(options) {}

ModelSpec ConvAutoencoder::classifier(std::int64_t classes) const {
  const Options& o = options_;
  return vaetl::spec<Cnn>({.input = o.input,
                           .channels = o.channels,
                           .kernel = o.kernel,
                           .downsample = o.downsample,
                           .dense = o.dense,
                           .activation = o.activation,
                           .batch_norm = o.batch_norm,
                           .code = code_of(o),
                           .classes = classes,
                           .insert = nn::insertions_within(o.insert, "encoder")});
}

}  // namespace vaetl::models
