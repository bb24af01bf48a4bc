#include "nn/models.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>

namespace vaetl {

template <>
Registry<Model>& registry<Model>() {
  static Registry<Model> models = [] {
    Registry<Model> table("model");
    table.add<testing::Tiny>();
    table.add<testing::Misgrouped>();
    return table;
  }();
  return models;
}

namespace testing {

Tiny::Tiny(Options options) : Model(vaetl::spec<Tiny>(options)), options_(options) {
  down_ = register_module("down", std::make_shared<nn::Linear>(options.size, 3));
  norm_ = register_module("norm", std::make_shared<nn::BatchNorm>(3));
  if (options.classes > 0) head_ = register_module("head", std::make_shared<nn::Linear>(3, options.classes));
}

std::vector<LayerGroup> Tiny::layer_groups() const {
  std::vector<LayerGroup> groups = {{"stem", {"down", "norm"}}};
  if (head_) groups.push_back({"head", {"head"}});
  return groups;
}

at::Tensor Tiny::encode(const Fields& fields) {
  ++encodings;
  return norm_->forward(down_->forward(checked_input(*this, fields)));
}

Misgrouped::Misgrouped(Options options) : Model(vaetl::spec<Misgrouped>(options)), how_(options.how) {
  register_module("first", std::make_shared<nn::Linear>(2, 2));
  register_module("firstborn", std::make_shared<nn::Linear>(2, 2));
}

std::vector<LayerGroup> Misgrouped::layer_groups() const {
  if (how_ == "none") return {{"a", {"first"}}};
  return {{"a", {"first", "firstborn"}}, {"b", {"firstborn.bias"}}};
}

std::shared_ptr<Tiny> tiny(std::int64_t classes) { return std::make_shared<Tiny>(Tiny::Options{4, classes}); }

Fields inputs(std::int64_t count, std::int64_t size) {
  Fields fields;
  fields.set("input", at::rand({count, size}));
  return fields;
}

bool equal_states(const torch::nn::Module& a, const torch::nn::Module& b) {
  const Weights left = state(a), right = state(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && at::equal(x.second, y.second); });
}

}  // namespace testing
}  // namespace vaetl
