#include "vaetl/models/dcgan.hpp"

#include "vaetl/models/options.hpp"

namespace vaetl::models {
namespace {

ConvTrunk dcgan_generator(const Dcgan::Options& o) {
  return {.input = o.input,
          .channels = o.channels,
          .kernel = o.kernel,
          .downsample = "stride",
          .dense = o.dense,
          .activation = o.activation,
          .batch_norm = o.batch_norm,
          .insert = o.insert,
          .names = gan_halves};
}

// With the embedded class as one more channel.
ConvTrunk dcgan_critic(const Dcgan::Options& o) {
  ConvTrunk trunk = dcgan_generator(o);
  if (gan_condition(o).joins_critic()) ++trunk.input[0];
  trunk.activation = o.critic_activation;
  trunk.batch_norm = o.critic_batch_norm;
  trunk.spectral_norm = o.spectral_norm;
  return trunk;
}

}  // namespace

void Dcgan::Options::validate() const {
  dcgan_generator(*this).validate(/*with_decoder=*/true);
  check_conditions(conditions);
}

// In braces the description is checked before anything is made of it.
Dcgan::Dcgan(const Options& o)
    : TrunkGan{vaetl::spec<Dcgan>(checked<Dcgan>(o)),
               {.input = o.input,
                .generator = dcgan_generator(o).decoder(gan_condition(o).joined_noise(o.noise)),
                .critic = dcgan_critic(o).encoder(),
                .features = dcgan_critic(o).feature_size(),
                .condition_shape = {1, o.input.at(1), o.input.at(2)}},
               o.noise,
               gan_condition(o),
               o.spectral_norm} {}

}  // namespace vaetl::models
