// A regressor whose features are its inputs and its predictions, in float64, and the reference of
// tests/parity/regression.py.
#pragma once
#include "vaetl/io/safetensors.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::testing {

class ToyRegressor final : public Model, public Regressor {
 public:
  explicit ToyRegressor(std::int64_t size) : Model({"toy_regressor", Json::object()}), size_(size) {}
  std::vector<LayerGroup> layer_groups() const override { return {}; }
  Signature signature() const override { return {{{"input", {{size_}, at::kDouble, 0, 1}}}}; }
  at::Tensor encode(const Fields& fields) override { return fields.input(); }
  std::int64_t feature_size() const override { return size_; }
  ModelSpec classifier(std::int64_t) const override { return spec(); }
  at::Tensor regress(const at::Tensor& features) override { return features; }
  std::int64_t outputs() const override { return size_; }

 private:
  std::int64_t size_;
};

inline const at::Tensor& regression_reference(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/regression.safetensors");
  return file.tensors.at(name);
}

}  // namespace vaetl::testing
