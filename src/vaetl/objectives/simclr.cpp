#include "vaetl/objectives/simclr.hpp"

#include <limits>

#include "vaetl/nn/layers.hpp"

namespace vaetl::objectives {

// (M, F) → (M, D). Its layers are named as in torch.nn.Sequential(Linear, ReLU, Linear, …): "0", "2", ….
class SimClr::Projection final : public torch::nn::Module {
 public:
  Projection(std::int64_t in, const std::vector<std::int64_t>& widths) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      layers_.push_back(register_module(std::to_string(2 * i), std::make_shared<nn::Linear>(in, widths[i])));
      in = widths[i];
    }
  }

  at::Tensor forward(at::Tensor h) {
    for (std::size_t i = 0; i < layers_.size(); ++i) h = layers_[i]->forward(i > 0 ? at::relu(h) : h);
    return h;
  }

 private:
  std::vector<std::shared_ptr<nn::Linear>> layers_;
};

void SimClr::bind(Model& model, const Batch& example) {
  const std::string by = "objective simclr";
  check_needs(needs(), model, example, by);
  if (example.find("train")->second.has("input.2")) {
    throw ConfigError({by, "two views of each example", "more", "set data.views to 2"});
  }
  auto fresh = std::make_shared<Projection>(require<Encoder>(model).feature_size(), options_.projection);
  fresh->to(device_of(model));
  // Bound again for another training, it starts afresh.
  projection_ = projection_ ? replace_module("projection", fresh) : register_module("projection", fresh);
}

Terms SimClr::terms(std::size_t /*update*/, Pass& pass) {
  const at::Tensor projected = projection_->forward(pass.view_features());
  const at::Tensor z = projected / projected.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-12);
  const std::int64_t both = z.size(0), n = both / 2;
  const at::Tensor self = at::eye(both, z.options().dtype(at::kBool));
  const at::Tensor similarity =
      (z.matmul(z.t()) / options_.temperature).masked_fill(self, -std::numeric_limits<double>::infinity());
  const at::Tensor partner = (at::arange(both, z.options().dtype(at::kLong)) + n).remainder(both);
  const at::Tensor losses = -similarity.log_softmax(1).gather(1, partner.unsqueeze(1)).squeeze(1);
  const at::Tensor right = similarity.detach().argmax(1).eq(partner).to(z.scalar_type());
  // Both views of an example count for it: (2N) → (N), which is what Pass::mean weighs.
  auto mean = [&](const at::Tensor& values) { return pass.mean(values.view({2, n}).mean(0)); };
  return Terms{}.add("contrast", mean(losses)).log("contrast_accuracy", mean(right));
}

}  // namespace vaetl::objectives
