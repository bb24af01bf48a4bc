// Small additions to the layers of a model that the model knows nothing of. A description asks for them by the option
// `adapters`, which every model has:
//
//   {"name": "cnn", "classes": 10, "adapters": [{"to": "encoder.*", "name": "lora", "rank": 8}, "ia3"]}
//
// What is adapted is a layer (nn/adaptable.hpp): Linear, Conv2d, ConvTranspose2d, Recurrent. `to` is a pattern over
// paths of layers ("encoder.0.conv") and over layer groups ("encoder.*"; "backbone", the default, means all but the
// heads). Where several match a layer, the last does. The model's own tensors keep their names, so the weights of a
// model without adapters load as ever; those of an adapter lie below `adapter` (adapter.encoder.0.conv.lora_a), in a
// layer group adapter.G behind the model's own groups, for each G. Every adapter starts as the identity.
#pragma once
#include <torch/nn/module.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaetl/nn/adaptable.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::nn {

// A class joins by registry<nn::Adapter>().add<Mine>().
class Adapter : public torch::nn::Module {
 public:
  using Kind = Adapter;
  // Makes its tensors for this layer, drawing from the default generator. ConfigError where they cannot be.
  virtual void bind(const LayerMaps& layer) = 0;
  // What the layer computes with in place of those of its map number `index`.
  virtual at::Tensor weight(const LinearMap& map, std::size_t /*index*/) const { return map.weight; }
  virtual at::Tensor bias(const LinearMap& map, std::size_t /*index*/) const { return map.bias; }
  // What becomes of the layer's output before its activation, only where changes_output(); then it cannot be merged.
  virtual bool changes_output() const { return false; }
  virtual at::Tensor output(const at::Tensor& y) { return y; }
};

struct AdapterRule {
  std::string to = "backbone";
  Spec<Adapter> adapter = {};
};
using AdapterRules = std::vector<AdapterRule>;

inline constexpr std::string_view adapter_prefix = "adapter.";

// A model's description without the option `adapters`, and what that said, every default written out. ConfigError for
// what is no adapter.
std::pair<ModelSpec, AdapterRules> take_adapters(ModelSpec spec, const std::string& path = "model");
ModelSpec with_adapters(ModelSpec spec, const AdapterRules& rules);  // those that it had are gone; none: no option
Json adapters_schema();

// Whether the pattern means a layer of this model.
bool adapts(const Model& model, const std::string& to);
// Makes the adapters of a model that has none, drawn from the default generator, below its module `adapter`; returns
// their layer groups. build() does so. ConfigError for a pattern that means no layer: the nearest names.
std::vector<LayerGroup> attach(Model& model, const AdapterRules& rules, const std::string& path);

// The same model by its description without adapters, what they make of the weights in the weights; outputs are equal
// but for rounding. As clone() it copies preprocessing, mode and device. ConfigError for a model without adapters, and
// for one that cannot be merged: an adapter of outputs, a layer with spectral norm.
std::shared_ptr<Model> merge_adapters(const Model& model);

}  // namespace vaetl::nn

namespace vaetl {

template <>
Registry<nn::Adapter>& registry<nn::Adapter>();  // nn/adapters.cpp

// A bare name stands for {"to": "backbone", "name": NAME}.
template <>
struct Codec<nn::AdapterRule> {
  static void read(const Json& json, const std::string& path, nn::AdapterRule& value, const Rule& rule);
  static Json write(const nn::AdapterRule& value);
  static Json schema(const Rule& rule);
};

}  // namespace vaetl
