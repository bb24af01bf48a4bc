#include "vaetl/nn/rebuild.hpp"

#include <ATen/core/grad_mode.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl {

at::Tensor code_of(Pass& pass, std::string_view stream) {
  const bool variational = offers(pass.model(), Variational::capability);
  return variational ? pass.posterior(stream).mean : pass.features(stream);
}

Decoder& decoder_of(Model& model, const at::Tensor& code, const std::string& by) {
  auto& decoder = require<Decoder>(model, by);
  if (code.dim() == 2 && code.size(1) == decoder.latent_size()) return decoder;
  throw ConfigError({by, fmt::format("codes (N, {}), as the decoder takes", decoder.latent_size()),
                     fmt::format("{} of {}", shape_text(code.sizes().vec()), quote(model.spec().name)),
                     "choose an autoencoder"});
}

std::shared_ptr<Likelihood> decode_code(Pass& pass, const at::Tensor& code, const std::string& by,
                                        std::string_view stream) {
  return decoder_of(pass.model(), code, by).decode(code, pass.condition(stream));
}

std::shared_ptr<Likelihood> rebuild(Pass& pass, const std::string& by, std::string_view stream) {
  std::shared_ptr<Likelihood>& kept = pass.rebuilt(stream);
  const bool keeps = !at::GradMode::is_enabled();
  if (keeps && kept) return kept;
  auto made = decode_code(pass, code_of(pass, stream), by, stream);
  if (keeps) kept = made;
  return made;
}

}  // namespace vaetl
