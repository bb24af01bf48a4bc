// What a model makes of its input from the code alone: decode(encode(x)), of a variational model from its posterior's
// mean. For objectives, metrics and apps.
#pragma once
#include <memory>
#include <string>

#include "vaetl/nn/pass.hpp"

namespace vaetl {

// (N, Z), before any check that the decoder takes it.
at::Tensor code_of(Pass& pass, std::string_view stream = "train");
// ConfigError, beginning with `by`, unless the model decodes codes (N, Z) such as this one.
Decoder& decoder_of(Model& model, const at::Tensor& code, const std::string& by);

// Over a code (N, Z) of the stream's examples; ConfigError as above.
std::shared_ptr<Likelihood> decode_code(Pass& pass, const at::Tensor& code, const std::string& by,
                                        std::string_view stream = "train");
std::shared_ptr<Likelihood> rebuild(Pass& pass, const std::string& by, std::string_view stream = "train");

}  // namespace vaetl
