#include "vaetl/transfer/units.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_set>

#include "vaetl/core/error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/adapter.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/layers.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::detail {
namespace {

using Node = torch::autograd::Node;
using NodePointer = std::remove_cvref_t<decltype(std::declval<at::Tensor>().grad_fn())>;  // versions differ in it

constexpr std::int64_t drawn_examples = 8, drawn_size = 32;  // where a model takes any size

// An adapter that changes nothing and remembers the graph's nodes that the layer's outputs come from.
class Witness final : public nn::Adapter {
 public:
  void bind(const nn::LayerMaps&) override {}
  bool changes_output() const override { return true; }
  at::Tensor output(const at::Tensor& y) override {
    const at::Tensor shown = y.clone();  // of a view that is overwritten later the node would be gone
    if (shown.grad_fn()) nodes.push_back(shown.grad_fn());
    return shown;
  }
  std::vector<NodePointer> nodes;
};

struct Watched {
  std::string path;
  nn::Adaptable* layer;
  nn::LayerMaps maps;
  std::shared_ptr<Witness> witness;
  bool plain() const { return maps.maps.size() == 1 && maps.maps[0].transposed_groups <= 1 && !maps.derived; }
  const at::Tensor& weight() const { return maps.maps[0].weight; }
  std::int64_t out_dim() const { return maps.maps[0].transposed_groups > 0 ? 1 : 0; }
  std::int64_t columns() const { return weight().size(1 - out_dim()); }
};

std::vector<Watched> watch(Model& model) {
  std::vector<Watched> layers;
  for (const auto& item : model.named_modules({}, /*include_self=*/false)) {
    auto* layer = dynamic_cast<nn::Adaptable*>(item.value().get());
    if (!layer) continue;
    layers.push_back({item.key(), layer, layer->maps(), std::make_shared<Witness>()});
    layer->set_adapter(layers.back().witness);
  }
  return layers;
}

// What stands between one layer, or an output of the model, and the layers that it reads.
struct Reading {
  std::set<std::size_t> layers;
  std::set<const c10::TensorImpl*> parameters;
};

Reading read_back(const std::vector<const Node*>& from, const std::map<const Node*, std::size_t>& ends) {
  Reading reading;
  std::vector<const Node*> open = from;
  std::unordered_set<const Node*> seen(from.begin(), from.end());
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    for (const auto& edge : node->next_edges()) {
      const Node* next = edge.function.get();
      if (!next || !seen.insert(next).second) continue;
      if (const auto end = ends.find(next); end != ends.end()) {
        reading.layers.insert(end->second);
      } else if (const auto* leaf = dynamic_cast<const torch::autograd::AccumulateGrad*>(next)) {
        reading.parameters.insert(leaf->variable.unsafeGetTensorImpl());
      } else {
        open.push_back(next);
      }
    }
  }
  return reading;
}

// Half within the range that the model is told, half far around it: it binds nobody, and data that are standardised lie
// on both sides of 0.
at::Tensor drawn_input(const FieldInfo& info, at::Generator& generator) {
  std::vector<std::int64_t> shape{drawn_examples};
  for (const std::int64_t size : info.shape) shape.push_back(size < 0 ? drawn_size : size);
  if (!at::isFloatingType(info.dtype)) {
    return at::randint(1, static_cast<std::int64_t>(info.high) + 1, shape, generator, at::TensorOptions(info.dtype));
  }
  shape[0] /= 2;
  const at::TensorOptions floats(at::kFloat);
  return at::cat({at::rand(shape, generator, floats) * (info.high - info.low) + info.low,
                  3 * at::randn(shape, generator, floats)});
}

Fields drawn_fields(const Model& model, at::Generator& generator, const std::string& by) {
  Fields fields;
  for (const auto& [name, info] : model.signature().inputs) {
    if (name == "input") fields.set(name, drawn_input(info, generator));
    if (name == "condition" || name == "input") continue;
    throw ConfigError({by, "a model of the fields input and condition", quote(name), {}});
  }
  if (offers(model, Conditional::capability)) {
    const std::int64_t classes = dynamic_cast<const Conditional&>(model).conditions();
    fields.set("condition", at::randint(classes, {drawn_examples}, generator, at::TensorOptions(at::kLong)));
  }
  return fields;
}

void encode_and_more(Model& model, const Fields& fields, std::vector<at::Tensor>& outputs) {
  const at::Tensor condition = condition_of(model, fields);
  if (offers(model, Variational::capability)) {
    auto& variational = dynamic_cast<Variational&>(model);
    const Gaussian q = variational.posterior(fields);
    outputs.insert(outputs.end(), {q.mean, q.log_var, variational.decode(q.mean, condition)->mean()});
    return;
  }
  const at::Tensor features = dynamic_cast<Encoder&>(model).encode(fields);
  const std::size_t before = outputs.size();
  if (offers(model, Decoder::capability)) {
    outputs.push_back(dynamic_cast<Decoder&>(model).decode(features, condition)->mean());
  }
  if (offers(model, Classifier::capability)) outputs.push_back(dynamic_cast<Classifier&>(model).classify(features));
  if (offers(model, Regressor::capability)) outputs.push_back(dynamic_cast<Regressor&>(model).regress(features));
  if (offers(model, SequenceModel::capability)) {
    std::vector<at::Tensor> carried;
    outputs.push_back(dynamic_cast<SequenceModel&>(model).unroll(fields, carried));
  }
  if (outputs.size() == before) outputs.push_back(features);
}

void generate_and_judge(Model& model, const Fields& fields, at::Generator& generator,
                        std::vector<at::Tensor>& outputs) {
  const at::Tensor condition = condition_of(model, fields);
  auto& maker = dynamic_cast<Generator&>(model);
  const at::Tensor made = maker.generate(
      at::randn({drawn_examples, maker.noise_size()}, generator, at::TensorOptions(at::kFloat)), condition);
  outputs.push_back(made);
  if (!offers(model, Critic::capability)) return;
  const Judgement judgement = dynamic_cast<Critic&>(model).judge(made, condition);
  outputs.push_back(judgement.score);
  if (judgement.logits.defined()) outputs.push_back(judgement.logits);
}

// Equal for layers that have the same units.
class Spaces {
 public:
  explicit Spaces(std::size_t layers) : of_(layers), fixed_(layers) { std::iota(of_.begin(), of_.end(), 0); }
  std::size_t find(std::size_t layer) const { return of_[layer] == layer ? layer : find(of_[layer]); }
  void unite(std::size_t a, std::size_t b) {
    a = find(a), b = find(b);
    if (a == b) return;
    of_[b] = a;
    if (fixed_[a].empty()) fixed_[a] = fixed_[b];
  }
  void fix(std::size_t layer, const std::string& why) {
    if (std::string& known = fixed_[find(layer)]; known.empty()) known = why;
  }
  const std::string& fixed(std::size_t layer) const { return fixed_[find(layer)]; }

 private:
  std::vector<std::size_t> of_;
  std::vector<std::string> fixed_;
};

class Tracer {
 public:
  explicit Tracer(Model& model) : model_(model), layers_(watch(model)), spaces_(layers_.size()) {
    for (const auto& item : model.named_parameters()) names_[item.value().unsafeGetTensorImpl()] = item.key();
  }
  ~Tracer() {
    for (const Watched& watched : layers_) watched.layer->set_adapter(nullptr);
  }
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  UnitMap trace() {
    const at::AutoGradMode with_graph(true);
    const auto outputs = outputs_of_drawn(model_, "units");
    std::map<const Node*, std::size_t> ends;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      for (const auto& node : layers_[i].witness->nodes) ends[node.get()] = i;
      if (!layers_[i].plain()) spaces_.fix(i, layers_[i].path + " is no plain dense or convolutional layer");
      if (layers_[i].witness->nodes.empty()) spaces_.fix(i, "no pass runs " + layers_[i].path);
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) read_layer(i, ends);
    for (const at::Tensor& output : outputs) read_output(output, ends);
    return collect();
  }

 private:
  struct Norm {
    std::size_t layer;  // one that it follows
    std::string path;
  };

  void read_layer(std::size_t reader, const std::map<const Node*, std::size_t>& ends) {
    std::vector<const Node*> from;
    for (const auto& node : layers_[reader].witness->nodes) from.push_back(node.get());
    Reading reading = read_back(from, ends);
    reading.layers.erase(reader);
    unite(reading);
    if (reading.layers.empty()) return;
    const std::size_t first = *reading.layers.begin();
    note_between(reading, first, layers_[reader].path + ".");
    if (!layers_[reader].plain()) {
      spaces_.fix(first, layers_[reader].path + " reads them, which is no plain dense or convolutional layer");
    } else if (is_depthwise(layers_[reader], layers_[first])) {
      spaces_.unite(first, reader);
    } else {
      readers_.push_back({reader, first});
    }
  }

  void read_output(const at::Tensor& output, const std::map<const Node*, std::size_t>& ends) {
    if (!output.grad_fn()) return;
    std::vector<const Node*> from{output.grad_fn().get()};
    Reading reading = read_back(from, ends);
    if (const auto own = ends.find(from[0]); own != ends.end()) reading = {{own->second}, {}};
    for (const std::size_t layer : reading.layers) spaces_.fix(layer, "they are what the model puts out");
    if (!reading.layers.empty()) note_between(reading, *reading.layers.begin(), {});
  }

  // Added or multiplied they are as many; joined they need not be.
  void unite(const Reading& reading) {
    if (reading.layers.empty()) return;
    const std::size_t first = *reading.layers.begin();
    for (const std::size_t layer : reading.layers) {
      if (layers_[layer].maps.features != layers_[first].maps.features) {
        const std::string why = fmt::format("{} and {} are read together", layers_[first].path, layers_[layer].path);
        spaces_.fix(first, why);
        spaces_.fix(layer, why);
      } else {
        spaces_.unite(first, layer);
      }
    }
  }

  static bool is_depthwise(const Watched& reader, const Watched& read) {
    return reader.weight().dim() == 4 && reader.maps.maps[0].transposed_groups == 0 && reader.columns() == 1 &&
           read.maps.features > 1 && reader.maps.features == read.maps.features;
  }

  // Parameters on the way: norms have a value for each unit, and single numbers know no units.
  void note_between(const Reading& reading, std::size_t read, const std::string& own) {
    for (const c10::TensorImpl* parameter : reading.parameters) {
      const auto known = names_.find(parameter);
      if (known == names_.end()) continue;
      const std::string& name = known->second;
      if ((!own.empty() && name.starts_with(own)) || parameter->numel() == 1) continue;
      const std::string parent = name.substr(0, name.rfind('.'));
      const auto modules = model_.named_modules();
      const auto* module = modules.find(parent);
      if (module && std::dynamic_pointer_cast<nn::BatchNorm>(*module)) {
        norms_.push_back({read, parent});
      } else {
        spaces_.fix(read, name + " takes all of them together");
      }
    }
  }

  UnitMap collect() {
    std::map<std::size_t, std::int64_t> counts;
    const auto least = [&](std::size_t layer, std::int64_t size) {
      const auto [found, fresh] = counts.try_emplace(spaces_.find(layer), size);
      if (!fresh) found->second = std::min(found->second, size);
    };
    for (std::size_t i = 0; i < layers_.size(); ++i) least(i, layers_[i].maps.features);
    for (const auto& [reader, read] : readers_) least(read, layers_[reader].columns());
    return fill(counts);
  }

  UnitMap fill(const std::map<std::size_t, std::int64_t>& counts) {
    UnitMap map;
    std::map<std::size_t, std::size_t> place;
    for (const auto& [space, count] : counts) {
      place[space] = map.units.size();
      map.units.push_back({count, {}, {}, spaces_.fixed(space)});
    }
    const auto units = [&](std::size_t layer) -> Units& { return map.units[place.at(spaces_.find(layer))]; };
    // Only between a dense layer and a convolution, a map flattened, does a unit stand for several values.
    std::map<std::pair<const Units*, std::int64_t>, std::int64_t> sizes;
    const auto check = [&](Units& of, const Watched& layer, std::int64_t size) {
      const std::int64_t known = sizes.try_emplace({&of, layer.weight().dim()}, size).first->second;
      if ((size % of.count == 0 && size == known) || !of.fixed.empty()) return;
      of.fixed = fmt::format("{} has {} of them, others {}", layer.path, size, size == known ? of.count : known);
    };
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (!layers_[i].plain()) {
        for (const nn::LinearMap& own : layers_[i].maps.maps) {
          if (own.bias.defined()) units(i).out.push_back({layers_[i].path + ".bias" + own.suffix, 0});
        }
        continue;
      }
      const UnitLayer layer = describe(layers_[i]);
      check(units(i), layers_[i], layers_[i].maps.features);
      units(i).out.push_back({layer.weight, layer.out_dim});
      if (!layer.bias.empty()) units(i).out.push_back({layer.bias, 0});
      map.layers.push_back(layer);
    }
    for (const auto& [reader, read] : readers_) {
      check(units(read), layers_[reader], layers_[reader].columns());
      units(read).in.push_back({layers_[reader].path + ".weight", 1 - layers_[reader].out_dim()});
    }
    std::set<std::string> noted;
    for (const Norm& norm : norms_) {
      if (!noted.insert(norm.path).second) continue;
      for (const char* tensor : {".weight", ".bias", ".running_mean", ".running_var"}) {
        units(norm.layer).out.push_back({norm.path + tensor, 0});
      }
    }
    return map;
  }

  static UnitLayer describe(const Watched& watched) {
    const bool bias = watched.maps.maps[0].bias.defined();
    return {watched.path, watched.path + ".weight", bias ? watched.path + ".bias" : "", watched.out_dim(),
            1 - watched.out_dim()};
  }

  Model& model_;
  std::vector<Watched> layers_;
  Spaces spaces_;
  std::map<const c10::TensorImpl*, std::string> names_;
  std::vector<std::pair<std::size_t, std::size_t>> readers_;  // who reads, one of those that it reads
  std::vector<Norm> norms_;
};

}  // namespace

std::vector<at::Tensor> outputs_of_drawn(Model& model, const std::string& by) {
  auto generator = make_generator(random_key(0, Purpose::evaluate));
  std::vector<at::Tensor> outputs;
  const bool encodes = offers(model, Encoder::capability), makes = offers(model, Generator::capability);
  const Fields fields = drawn_fields(model, generator, by);
  if (encodes) encode_and_more(model, fields, outputs);
  if (!encodes && makes) generate_and_judge(model, fields, generator, outputs);
  if (!outputs.empty()) return outputs;
  throw ConfigError({by, "a model that encodes or generates", quote(model.spec().name), {}});
}

UnitMap units_of(Model& model) {
  const bool training = model.is_training();
  model.eval();
  UnitMap map = Tracer(model).trace();
  model.train(training);
  return map;
}

}  // namespace vaetl::detail
