// What a model makes of its input from the code alone: decode(encode(x)), of a variational model from its posterior's
// mean. For objectives, metrics and apps.
#pragma once
#include <memory>
#include <string>

#include "vaetl/nn/pass.hpp"

namespace vaetl {

// Over a code (N, Z) of the stream's examples. ConfigError, beginning with `by`, unless the decoder takes such codes.
std::shared_ptr<Likelihood> decode_code(Pass& pass, const at::Tensor& code, const std::string& by,
                                        std::string_view stream = "train");
std::shared_ptr<Likelihood> rebuild(Pass& pass, const std::string& by, std::string_view stream = "train");

}  // namespace vaetl
