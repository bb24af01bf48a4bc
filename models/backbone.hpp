// Image networks by the names of others: what ResNets, MobileNets, VGGs and LeNets have in common. A subclass lists its
// layers from input to output, each under the path that it bears where it was published, so weights load unrenamed.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "vaetl/core/config.hpp"
#include "vaetl/models/trunk.hpp"
#include "vaetl/nn/blocks.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/component.hpp"
#include "vaetl/nn/head.hpp"

namespace vaetl::models {

inline constexpr Range class_counts = between(0, 1000000);
inline constexpr Range width_factors = between(1.0 / 1024, 16);

// Channels times a width factor, at least one.
std::int64_t scaled(std::int64_t channels, double width);

// ConfigError unless every stage leaves at least one pixel: the layer, the size that it needs, the size that comes.
void check_side(const std::string& layer, std::int64_t needs, nn::Size2 found, const std::vector<std::int64_t>& input);

// x (N, C, H, W) → features (N, F), after the global pool → logits (N, K).
class Backbone : public Model, public virtual Classifier {
 public:
  std::vector<LayerGroup> layer_groups() const final { return groups_; }
  Signature signature() const final;
  at::Tensor encode(const Fields& fields) final;  // DataError for another shape than the description's
  std::int64_t feature_size() const final { return feature_size_; }
  at::Tensor classify(const at::Tensor& features) final;  // ConfigError without classes
  std::int64_t classes() const final { return classes_; }

 protected:
  using Function = nn::Sequence::Function;
  template <class O>
  Backbone(ModelSpec spec, const O& options)
      : Backbone(std::move(spec), options.input, options.classes, options.head, options.insert) {}

  // How the layers added from now on start, where that is not their own default.
  void initialise(std::function<void(torch::nn::Module&)> function) { initialise_ = std::move(function); }
  // The next layer, at a path such as "features.3", in a layer group such as "layer1".
  template <class Layer>
  void add(const std::string& group, const std::string& path, std::shared_ptr<Layer> layer) {
    Layer* kept = layer.get();
    place(group, path, std::move(layer), [kept](const at::Tensor& x) { return kept->forward(x); });
  }
  // A function without parameters that belongs to the group of the layer before it; it may overwrite what it takes.
  void then(Function function);
  // One that belongs to none: what is inserted after the last group comes before it.
  void bridge(Function function);
  // What comes last, though for 0 classes without a layer: dropout in training, and the head.
  void add_head(const std::string& path, std::int64_t features, double dropout = 0);

 private:
  struct Step {
    Function run;
    const torch::nn::Module* ends = nullptr;  // the layer whose output is complete after this step
  };
  Backbone(ModelSpec spec, std::vector<std::int64_t> input, std::int64_t classes, std::vector<std::int64_t> hidden,
           nn::Insertions insert);
  void place(const std::string& group, const std::string& path, std::shared_ptr<torch::nn::Module> layer,
             Function step);
  void insert_after_last_group();
  std::vector<std::int64_t> shape_so_far();

  std::vector<std::int64_t> input_;
  std::int64_t classes_, feature_size_ = 0;
  std::vector<std::int64_t> hidden_;  // widths within the head
  double dropout_ = 0;
  nn::Insertions insert_;
  std::function<void(torch::nn::Module&)> initialise_ = [](torch::nn::Module&) {};
  std::vector<Step> steps_;
  std::vector<LayerGroup> groups_;
  nn::HeadLayers head_;
};

// The options that all of them have, between their own. O has members of these names.
template <class O>
constexpr auto image_field() {
  return std::tuple{field("input", &O::input, "channels, height, width", sizes)};
}
template <class O>
constexpr auto backbone_fields() {
  return std::tuple_cat(
      std::tuple{field("width", &O::width, "factor on the number of channels of every layer", width_factors)},
      insert_fields<O>(),
      std::tuple{field("classes", &O::classes, "number of classes; 0: features alone", class_counts)}, head_field<O>());
}

}  // namespace vaetl::models
