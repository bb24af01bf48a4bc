#include "vaetl/transfer/grow.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/adapter.hpp"
#include "vaetl/nn/components.hpp"
#include "vaetl/nn/initialise.hpp"
#include "vaetl/nn/load_rules.hpp"
#include "vaetl/transfer/units.hpp"

namespace vaetl {
namespace {

using detail::UnitLayer;
using detail::UnitMap;
using detail::UnitPlace;
using detail::Units;

constexpr const char* grow_path = "transfer.grow";
constexpr double most_difference = 1e-5, least_scale = 1e-3;  // an output that is all but 0 is held against that

ModelSpec wanted_description(const Model& source, const GrowOptions& options) {
  if (!nn::take_adapters(source.spec()).second.empty()) {
    throw ConfigError({grow_path, "a model without adapters", quote(source.spec().name) + " with some",
                       "merge them first (vaetl-zoo add --merge)"});
  }
  if (!options.model.is_object()) {
    throw_type(std::string(grow_path) + ".model", "an object of options to change", options.model);
  }
  if (options.model.contains("name") && options.model["name"] != source.spec().name) {
    throw ConfigError({std::string(grow_path) + ".model.name", quote(source.spec().name) + ", as the source",
                       options.model["name"].dump(), "leave the name out"});
  }
  ModelSpec spec = source.spec();
  spec.options.merge_patch(options.model);
  spec.options.erase("name");
  return complete(spec, std::string(grow_path) + ".model");
}

std::vector<LoadRule> as_rules(const std::vector<MovedNames>& moved, const Weights& source) {
  std::vector<LoadRule> rules;
  for (const auto& [from, to] : moved) {
    check_matches(from, names_of(source), tensor_of_source, std::string(grow_path) + ".load");
    rules.push_back({.from = from, .to = to});
  }
  check_rules(rules);
  return rules;
}

// The source's tensors by the names that they have in the grown model.
Weights by_new_names(const Model& source, const Model& target, const std::vector<MovedNames>& moved) {
  const Weights own = state(target), before = state(source);
  const auto rules = as_rules(moved, before);
  Weights weights;
  for (const auto& [name, tensor] : before) {
    const std::string to = destination(name, rules).name;
    const bool taken = own.contains(to) && weights.emplace(to, tensor.detach().cpu()).second;
    if (taken) continue;
    throw ConfigError({grow_path, "a place for every tensor of the source",
                       own.contains(to) ? "two for " + quote(to) : "none for " + quote(name),
                       "say by rules of transfer.grow.load where layers have moved to"});
  }
  return weights;
}

// The growth of a model: what its tensors are made of.
class Growth {
 public:
  Growth(const Model& source, Model& target, const GrowOptions& options)
      : target_(target),
        options_(options),
        weights_(by_new_names(source, target, options.load)),
        own_(state(target)),
        map_(detail::units_of(target)),
        counts_(map_.units.size(), 0) {}

  void run() {
    find_new_layers();
    for (std::size_t i = 0; i < map_.units.size(); ++i) {
      const Units& units = map_.units[i];
      if (!units.fixed.empty()) check_unchanged(units);
      counts_[i] = units.fixed.empty() ? source_count(units) : units.count;
    }
    while (carry_counts_over()) continue;
    for (std::size_t i = 0; i < map_.units.size(); ++i) widen(i);
    add_identities();
    fill();
  }

  bool deeper() const { return !new_layers_.empty(); }
  Json json() const {
    Json deeper = Json::array();
    for (const UnitLayer& layer : new_layers_) deeper.push_back(layer.path);
    return {{"wider", wider_}, {"deeper", deeper}};
  }
  std::string text() const {
    std::vector<std::string> parts;
    for (const auto& [layer, sizes] : wider_.items()) {
      parts.push_back(
          fmt::format("{} from {} to {} units", layer, sizes[0].get<std::int64_t>(), sizes[1].get<std::int64_t>()));
    }
    for (const UnitLayer& layer : new_layers_) parts.push_back(layer.path + " added as the identity");
    return parts.empty() ? "as it was" : join(parts);
  }

 private:
  bool is_new(const UnitLayer& layer) const { return !weights_.contains(layer.weight); }

  // Components start as they see fit, but for those that are no more than a layer.
  bool within_component(const std::string& path) const {
    for (const auto& item : target_.named_modules({}, /*include_self=*/false)) {
      const bool component = dynamic_cast<const nn::Component*>(item.value().get()) != nullptr &&
                             dynamic_cast<const nn::Layer*>(item.value().get()) == nullptr;
      if (component && path.starts_with(item.key() + ".")) return true;
    }
    return false;
  }

  void find_new_layers() {
    for (const UnitLayer& layer : map_.layers) {
      if (!is_new(layer) || within_component(layer.path)) continue;
      new_layers_.push_back(layer);
    }
    for (const auto& [name, tensor] : own_) {
      const bool of_layer = std::any_of(map_.layers.begin(), map_.layers.end(), [&](const UnitLayer& layer) {
        return is_new(layer) && (name == layer.weight || name == layer.bias);
      });
      if (weights_.contains(name) || of_layer || within_component(name)) continue;
      throw ConfigError({grow_path, "new layers that are dense or convolutional, without a norm of their own",
                         quote(name),
                         "add depth by a component instead: \"insert\": [{\"after\": …, \"name\": \"layer\"}]"});
    }
  }

  std::int64_t block(const Units& units, const UnitPlace& place) const {
    return own_.at(place.tensor).size(place.dim) / units.count;
  }

  void check_unchanged(const Units& units) const {
    for (const auto* places : {&units.out, &units.in}) {
      for (const UnitPlace& place : *places) {
        const auto found = weights_.find(place.tensor);
        if (found == weights_.end() || found->second.sizes() == own_.at(place.tensor).sizes()) continue;
        if (found->second.size(place.dim) == own_.at(place.tensor).size(place.dim)) continue;
        throw ConfigError({grow_path,
                           fmt::format("{} of shape {}, as in the source: {}", quote(place.tensor),
                                       shape_text(found->second.sizes().vec()), units.fixed),
                           shape_text(own_.at(place.tensor).sizes().vec()), "leave this width as it is"});
      }
    }
  }

  // How many of the units the source has; 0: none of its tensors tells.
  std::int64_t source_count(const Units& units) const {
    std::int64_t count = 0;
    for (const auto* places : {&units.out, &units.in}) {
      for (const UnitPlace& place : *places) {
        const auto found = weights_.find(place.tensor);
        if (found == weights_.end() || found->second.dim() <= place.dim) continue;
        const std::int64_t size = found->second.size(place.dim), here = block(units, place);
        const bool fits = here > 0 && size % here == 0 && (count == 0 || count == size / here);
        if (!fits) throw_shape(place.tensor);
        count = size / here;
      }
    }
    return count;
  }

  [[noreturn]] void throw_shape(const std::string& name) const {
    throw ConfigError(
        {grow_path, "a change in the number of units alone",
         fmt::format("{}, {} in the source and {} here", quote(name), shape_text(weights_.at(name).sizes().vec()),
                     shape_text(own_.at(name).sizes().vec())),
         "leave sizes of inputs, kernels and outputs as they are"});
  }

  // Index of the units that the layer puts out, or reads; none: the model's input.
  std::optional<std::size_t> units_at(const std::string& tensor, std::int64_t dim, bool in) const {
    for (std::size_t i = 0; i < map_.units.size(); ++i) {
      for (const UnitPlace& place : in ? map_.units[i].in : map_.units[i].out) {
        if (place.tensor == tensor && place.dim == dim) return i;
      }
    }
    return std::nullopt;
  }

  // A new layer has as many source units on either side.
  bool carry_counts_over() {
    bool changed = false;
    for (const UnitLayer& layer : new_layers_) {
      const auto out = units_at(layer.weight, layer.out_dim, false), in = units_at(layer.weight, layer.in_dim, true);
      if (!out) continue;
      const std::int64_t read = in ? counts_[*in] : own_.at(layer.weight).size(layer.in_dim);
      if (counts_[*out] == 0 && read > 0) changed = true, counts_[*out] = read;
      if (in && counts_[*in] == 0 && counts_[*out] > 0) changed = true, counts_[*in] = counts_[*out];
    }
    return changed;
  }

  void add_identities() {
    for (const UnitLayer& layer : new_layers_) {
      const at::Tensor& weight = own_.at(layer.weight);
      const auto out = units_at(layer.weight, layer.out_dim, false), in = units_at(layer.weight, layer.in_dim, true);
      const std::int64_t rows = out ? counts_[*out] : 0;
      const std::int64_t columns =
          in ? counts_[*in] * block(map_.units[*in], {layer.weight, layer.in_dim}) : weight.size(layer.in_dim);
      if (rows == 0 || rows != columns) {
        throw ConfigError({grow_path, "a new layer that puts out what it takes",
                           fmt::format("{}, {} units of {}", layer.path, rows, columns),
                           "give it the width of the layer before it"});
      }
      weights_[layer.weight] = identity(weight, rows);
      if (!layer.bias.empty()) weights_[layer.bias] = at::zeros({rows});
    }
  }

  static at::Tensor identity(const at::Tensor& like, std::int64_t units) {
    std::vector<std::int64_t> shape = like.sizes().vec();
    shape[0] = shape[1] = units;
    at::Tensor weight = at::zeros(shape);
    nn::initialise_identity(weight);
    return weight;
  }

  // g: each unit's place among the source's.
  void widen(std::size_t index) {
    const Units& units = map_.units[index];
    const std::int64_t before = counts_[index];
    origins_.push_back(at::arange(units.count));
    if (before == units.count || before == 0) return;
    const std::string what = units.out.empty() ? std::string("units") : quote(units.out[0].tensor);
    if (before > units.count) {
      throw ConfigError({grow_path, fmt::format("at least {} units of {}", before, what), std::to_string(units.count),
                         "a model can grow, not shrink"});
    }
    origins_.back() = at::cat({at::arange(before), at::randint(before, {units.count - before})});
    for (const UnitPlace& place : units.out) {
      if (own_.at(place.tensor).dim() > 1 && weights_.contains(place.tensor))
        note_wider(place.tensor, before, units.count);
    }
  }

  void note_wider(const std::string& weight, std::int64_t before, std::int64_t now) {
    wider_[weight.substr(0, weight.rfind('.'))] = Json::array({before, now});
  }

  static at::Tensor spread(const at::Tensor& origin, std::int64_t block) {
    return (origin.unsqueeze(1) * block + at::arange(block)).flatten();
  }

  void fill() {
    for (std::size_t i = 0; i < map_.units.size(); ++i) {
      const Units& units = map_.units[i];
      if (counts_[i] == 0 || counts_[i] == units.count) continue;
      for (const UnitPlace& place : units.out) {
        repeat(place, spread(origins_[i], block(units, place)));
      }
      for (const UnitPlace& place : units.in) share_out(place, spread(origins_[i], block(units, place)));
    }
    for (const auto& [name, tensor] : own_) {
      const auto found = weights_.find(name);
      if (found == weights_.end()) continue;
      if (found->second.sizes() != tensor.sizes()) throw_shape(name);
      tensor.copy_(found->second);
    }
  }

  void repeat(const UnitPlace& place, const at::Tensor& origin) {
    const auto found = weights_.find(place.tensor);
    if (found != weights_.end()) found->second = found->second.index_select(place.dim, origin);
  }

  // Each copy's share of the weight; what they differ by sums to 0.
  void share_out(const UnitPlace& place, const at::Tensor& origin) {
    const auto found = weights_.find(place.tensor);
    if (found == weights_.end()) return;
    const at::Tensor& weight = found->second;
    std::vector<std::int64_t> along(static_cast<std::size_t>(weight.dim()), 1);
    along[static_cast<std::size_t>(place.dim)] = -1;
    const at::Tensor copies = at::bincount(origin).to(weight.scalar_type());
    const at::Tensor shared = (weight / copies.view(along)).index_select(place.dim, origin);
    const at::Tensor noise = at::randn_like(shared) * (options_.noise * weight.std(/*unbiased=*/false));
    const at::Tensor mean = at::zeros_like(weight).index_add_(place.dim, origin, noise) / copies.view(along);
    found->second = shared + noise - mean.index_select(place.dim, origin);
  }

  Model& target_;
  const GrowOptions& options_;
  Weights weights_;  // the source's by the target's names; in the end the target's values
  Weights own_;
  UnitMap map_;
  std::vector<std::int64_t> counts_;  // the source's units
  std::vector<at::Tensor> origins_;
  std::vector<UnitLayer> new_layers_;
  Json wider_ = Json::object();
};

// Largest, as a share of the output's largest value.
double difference(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i >= b.size() || a[i].sizes() != b[i].sizes()) {
      throw ConfigError({grow_path, "outputs of shape " + shape_text(a[i].sizes().vec()) + ", as the source's",
                         i < b.size() ? shape_text(b[i].sizes().vec()) : "none",
                         "leave inputs and outputs as they are"});
    }
    const double found =
        (a[i] - b[i]).abs().max().item<double>() / std::max(least_scale, a[i].abs().max().item<double>());
    if (!(found <= most)) most = found;  // not a number, too
  }
  return most;
}

double check_equal(const Model& source, Model& target, bool deeper) {
  const auto original = clone(source);
  original->to(c10::Device(c10::kCPU));
  original->eval();
  target.eval();
  const double found =
      difference(detail::outputs_of_drawn(*original, grow_path), detail::outputs_of_drawn(target, grow_path));
  if (found <= most_difference) return found;
  throw ConfigError({grow_path, fmt::format("a model that computes what the source does, within {:g}", most_difference),
                     fmt::format("outputs that differ by {:.2g}", found),
                     deeper ? "added layers stand behind relu and have it, and no norm, pooling or stride of their own"
                            : "what stands between these layers is no function of single units, or another one than in "
                              "the source: leave it as it is"});
}

}  // namespace

Grown grow(const Model& source, const GrowOptions& options) {
  const at::NoGradGuard no_grad;
  Grown grown{.model = build(wanted_description(source, options), std::string(grow_path) + ".model")};
  Growth growth(source, *grown.model, options);
  growth.run();
  grown.difference = check_equal(source, *grown.model, growth.deeper());
  grown.json = growth.json();
  grown.json["difference"] = grown.difference;
  grown.text = fmt::format("grown: {}; outputs differ by {:.1e} at most", growth.text(), grown.difference);
  grown.model->set_preprocess(source.preprocess());
  grown.model->train(source.is_training());
  return grown;
}

}  // namespace vaetl
