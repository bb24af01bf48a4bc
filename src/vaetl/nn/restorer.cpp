#include "vaetl/nn/restorer.hpp"

#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/rebuild.hpp"

namespace vaetl {

bool restores(const Model& model) {
  return offers(model, Restorer::capability) ||
         (offers(model, Encoder::capability) && offers(model, Decoder::capability));
}

at::Tensor restored(Model& model, const Fields& fields, const std::string& by) {
  if (!restores(model)) require_capability(model, Restorer::capability, by);
  if (auto* restorer = dynamic_cast<Restorer*>(&model)) return restorer->restore(fields);
  const Batch batch = {{"train", fields}};
  Pass pass(model, batch);
  return rebuild(pass, by)->mean();
}

}  // namespace vaetl
