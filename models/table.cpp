// The one place that names the architectures.
#include "vaetl/models/cnn.hpp"
#include "vaetl/models/conv_vae.hpp"
#include "vaetl/models/mlp.hpp"
#include "vaetl/models/vae.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl {

template <>
Registry<Model>& registry<Model>() {
  static Registry<Model> models = [] {
    Registry<Model> table("model");
    table.add<models::Mlp>();
    table.add<models::Cnn>();
    table.add<models::Vae>();
    table.add<models::ConvVae>();
    return table;
  }();
  return models;
}

}  // namespace vaetl
