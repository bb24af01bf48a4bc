#include "vaetl/nn/rebuild.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl {

std::shared_ptr<Likelihood> decode_code(Pass& pass, const at::Tensor& code, const std::string& by,
                                        std::string_view stream) {
  auto& decoder = require<Decoder>(pass.model(), by);
  if (code.dim() == 2 && code.size(1) == decoder.latent_size()) return decoder.decode(code, pass.condition(stream));
  throw ConfigError({by, fmt::format("codes (N, {}), as the decoder takes", decoder.latent_size()),
                     fmt::format("{} of {}", shape_text(code.sizes().vec()), quote(pass.model().spec().name)),
                     "choose an autoencoder"});
}

std::shared_ptr<Likelihood> rebuild(Pass& pass, const std::string& by, std::string_view stream) {
  const bool variational = offers(pass.model(), Variational::capability);
  return decode_code(pass, variational ? pass.posterior(stream).mean : pass.features(stream), by, stream);
}

}  // namespace vaetl
