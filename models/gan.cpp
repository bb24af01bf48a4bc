#include "vaetl/models/gan.hpp"

#include "vaetl/models/options.hpp"

namespace vaetl::models {
namespace {

DenseTrunk gan_generator(const Gan::Options& o) {
  return {.input = o.input,
          .widths = o.widths,
          .activation = o.activation,
          .batch_norm = o.batch_norm,
          .insert = o.insert,
          .names = gan_halves};
}

// Over the flat input, with the embedded class at its end.
DenseTrunk gan_critic(const Gan::Options& o) {
  const std::int64_t joined = gan_condition(o).joins_critic() ? o.condition_size : 0;
  return {.input = {numel(o.input) + joined},
          .widths = o.widths,
          .activation = o.critic_activation,
          .batch_norm = o.critic_batch_norm,
          .spectral_norm = o.spectral_norm,
          .insert = o.insert,
          .names = gan_halves};
}

}  // namespace

void Gan::Options::validate() const {
  gan_generator(*this).validate(/*with_decoder=*/true);
  gan_critic(*this).validate(/*with_decoder=*/true);
  check_conditions(conditions);
}

// In braces the description is checked before anything is made of it.
Gan::Gan(const Options& o)
    : TrunkGan{vaetl::spec<Gan>(checked<Gan>(o)),
               {.input = o.input,
                .generator = gan_generator(o).decoder(gan_condition(o).joined_noise(o.noise)),
                .critic = gan_critic(o).encoder(),
                .features = gan_critic(o).feature_size(),
                .condition_shape = {o.condition_size}},
               o.noise,
               gan_condition(o),
               o.spectral_norm} {}

}  // namespace vaetl::models
