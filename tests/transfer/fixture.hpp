// Small models of an 8 × 8 image whose every weight is told apart.
#pragma once
#include "vaetl/core/random.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/transfer/adapt.hpp"

namespace vaetl::testing {

inline std::shared_ptr<Model> make_model(const std::string& name, Json options, std::uint64_t key = 1) {
  seed(key);
  return build({name, std::move(options)});
}

inline Json small_images(Json more = Json::object()) {
  Json options{{"input", {1, 8, 8}}, {"channels", {4, 8}}, {"dense", {16}}};
  options.update(more);
  return options;
}

inline std::shared_ptr<Model> small_vae(std::uint64_t key = 1) {
  auto model = make_model("conv_vae", small_images({{"latent", 3}}), key);
  model->set_preprocess(Json::array({{{"name", "scale"}, {"from", {0, 255}}, {"to", {0, 1}}}}));
  return model;
}

inline std::shared_ptr<Model> small_cnn(std::int64_t classes, Json more = Json::object(), std::uint64_t key = 1) {
  more["classes"] = classes;
  return make_model("cnn", small_images(std::move(more)), key);
}

inline Weights copied(const Model& model) {
  Weights copy;
  for (const auto& [name, tensor] : state(model)) copy[name] = tensor.detach().clone();
  return copy;
}

inline std::vector<std::string> names(const std::vector<LoadReport::Row>& rows) {
  std::vector<std::string> result;
  for (const auto& row : rows) result.push_back(row.name);
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace vaetl::testing
