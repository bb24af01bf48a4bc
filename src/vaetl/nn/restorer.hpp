// Pictures as they were before they were damaged: a capability beside those of nn/capabilities.hpp, and what every
// model that can do it in some way makes of a damaged picture.
//
//   if (restores(model)) at::Tensor repaired = restored(model, fields, "my app");
#pragma once
#include <string>

#include "vaetl/nn/capabilities.hpp"

namespace vaetl {

// Needs no code that sums a picture up, so that what is fine in it need not pass through one.
struct Restorer : virtual Capability {
  static constexpr std::string_view capability = "Restorer";
  virtual at::Tensor restore(const Fields& fields) = 0;  // like the input
};

bool restores(const Model& model);

// restore() of a Restorer; of an autoencoder decode(encode(x)), from the posterior's mean where it is variational. Like
// the input. ConfigError, beginning with `by`, for a model that is neither.
at::Tensor restored(Model& model, const Fields& fields, const std::string& by);

}  // namespace vaetl
