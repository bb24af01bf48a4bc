// The models of these tests: the room nn names none, so the tests' program defines the registry.
#pragma once
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/layers.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::testing {

// (N, size) → (N, 3) → (N, classes): groups stem (down, norm), head. encode() counts its calls.
class Tiny final : public Model, public Classifier {
 public:
  static constexpr std::string_view name = "tiny";
  struct Options {
    std::int64_t size = 4, classes = 2;
    static constexpr auto fields() {
      return std::tuple{field("size", &Options::size, "values of an input", at_least(1)),
                        field("classes", &Options::classes, "number of classes", at_least(0))};
    }
  };
  explicit Tiny(Options options);
  std::vector<LayerGroup> layer_groups() const override;
  Signature signature() const override { return {{{"input", {{options_.size}, at::kFloat, 0, 1}}}}; }
  at::Tensor encode(const Fields& fields) override;
  std::int64_t feature_size() const override { return 3; }
  ModelSpec classifier(std::int64_t classes) const override { return vaetl::spec<Tiny>({options_.size, classes}); }
  at::Tensor classify(const at::Tensor& features) override { return head_->forward(features); }
  std::int64_t classes() const override { return options_.classes; }
  int encodings = 0;

 private:
  Options options_;
  std::shared_ptr<nn::Linear> down_, head_;
  std::shared_ptr<nn::BatchNorm> norm_;
};

// Groups that leave a layer out ("none") or cover one twice ("twice").
class Misgrouped final : public Model {
 public:
  static constexpr std::string_view name = "misgrouped";
  struct Options {
    std::string how = "none";
    static constexpr auto fields() { return std::tuple{field("how", &Options::how, "none or twice")}; }
  };
  explicit Misgrouped(Options options);
  std::vector<LayerGroup> layer_groups() const override;
  Signature signature() const override { return {}; }

 private:
  std::string how_;
};

std::shared_ptr<Tiny> tiny(std::int64_t classes = 2);
Fields inputs(std::int64_t count, std::int64_t size = 4);
bool equal_states(const torch::nn::Module& a, const torch::nn::Module& b);

}  // namespace vaetl::testing
