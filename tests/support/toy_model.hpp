// A model with every capability whose parts are matrices that a test sets, in float64: for tests of objectives and
// metrics.
#pragma once
#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>

#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/likelihood.hpp"

namespace vaetl::testing {

class ToyModel final : public Model, public Variational, public Classifier {
 public:
  // x (N, F) → features (N, F) = logits; posterior (N, Z); decoded (N, F).
  ToyModel(std::int64_t size, std::int64_t latent) : Model({"toy", Json::object()}), size_(size), latent_(latent) {
    encoder = register_parameter("encoder", at::eye(size, at::kDouble));
    head = register_parameter("head", at::eye(size, at::kDouble));
    mean = register_parameter("mean", at::zeros({size, latent}, at::kDouble));
    log_var = register_parameter("log_var", at::zeros({size, latent}, at::kDouble));
    decoder = register_parameter("decoder", at::zeros({latent, size}, at::kDouble));
  }

  std::vector<LayerGroup> layer_groups() const override {
    return {{"encoder", {"encoder"}}, {"latent", {"mean", "log_var"}}, {"decoder", {"decoder"}}, {"head", {"head"}}};
  }
  Signature signature() const override { return {{{"input", {{size_}, at::kDouble, 0, 1}}}}; }
  at::Tensor encode(const Fields& fields) override { return fields.input().matmul(encoder); }
  std::int64_t feature_size() const override { return size_; }
  ModelSpec classifier(std::int64_t) const override { return spec(); }
  at::Tensor classify(const at::Tensor& features) override { return features.matmul(head); }
  std::int64_t classes() const override { return size_; }
  // A batch may bring its posterior and what is decoded along, as a reference does.
  Gaussian posterior(const Fields& fields) override {
    if (fields.has("mean")) return {fields["mean"], fields["log_var"]};
    const at::Tensor h = encode(fields);
    return {h.matmul(mean), h.matmul(log_var)};
  }
  std::shared_ptr<Likelihood> decode(const at::Tensor& z, const at::Tensor& /*condition*/ = {}) override {
    const at::Tensor decoded = z.matmul(decoder);
    return std::make_shared<nn::Bernoulli>(offset.defined() ? decoded + offset : decoded);
  }
  std::int64_t latent_size() const override { return latent_; }

  at::Tensor encoder, head, mean, log_var, decoder, offset;

 private:
  std::int64_t size_, latent_;
};

// A model that offers nothing.
class BareModel final : public Model {
 public:
  BareModel() : Model({"bare", Json::object()}) {}
  std::vector<LayerGroup> layer_groups() const override { return {}; }
  Signature signature() const override { return {}; }
};

}  // namespace vaetl::testing
