// A Model is a torch::nn::Module that its description rebuilds, with ordered layer groups. It is never edited: it is
// described again and loaded. It knows neither its loss, nor its optimiser, nor its data.
//
//   auto model = build({"cnn", {{"classes", 10}}});
//
// Every description may have the option `adapters` (nn/adapter.hpp), small additions to the model's layers, of which
// the model's class knows nothing: build() takes it off, makes the model and attaches them.
#pragma once
#include <torch/nn/module.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "vaetl/core/batch.hpp"
#include "vaetl/core/registry.hpp"
#include "vaetl/core/signature.hpp"

namespace vaetl {

class Model;
using ModelSpec = Spec<Model>;

// A name and the module-path prefixes it covers, so that it holds parameters, buffers and modes alike and leaves
// foreign parameter names alone: {"stem", {"conv1", "bn1"}}.
struct LayerGroup {
  std::string name;
  std::vector<std::string> prefixes;
};

class Model : public torch::nn::Module {  // abstract; every registered class is final
 public:
  using Kind = Model;
  explicit Model(ModelSpec spec) : spec_(std::move(spec)) {}

  virtual std::vector<LayerGroup> layer_groups() const = 0;  // from input to output; a classifier's last is "head"
  virtual Signature signature() const = 0;
  // Its own, then adapter.G for each of them, G, whose layers have adapters.
  std::vector<LayerGroup> groups() const;
  const ModelSpec& spec() const { return spec_; }

  // The fitted preprocessing that belongs to these weights (data/preprocess.hpp reads it), null before any was fitted.
  // fit, adapt and zoo::load set it; evaluate and predict apply it.
  const Json& preprocess() const { return preprocess_; }
  void set_preprocess(Json preprocess) { preprocess_ = std::move(preprocess); }

 private:
  friend std::shared_ptr<Model> build(const ModelSpec& spec, const std::string& path);
  ModelSpec spec_;
  std::vector<LayerGroup> adapter_groups_;
  Json preprocess_;
};

template <>
Registry<Model>& registry<Model>();  // defined by models/table.cpp

// Builds from the description, attaches its adapters and checks that every parameter and buffer lies in exactly one
// group (Error, internal). ConfigError for an unknown name, an option that does not hold, a model that does not fit in
// memory.
std::shared_ptr<Model> build(const ModelSpec& spec, const std::string& path = "model");
// The same description with every default written out, its adapters' too.
ModelSpec complete(const ModelSpec& spec, const std::string& path = "model");
// JSON schema of the options of the model of this name.
Json model_schema(const std::string& name);
// Builds from the same description and copies parameters, buffers, preprocessing, mode and device. The default
// generator is left as it was, so a copy taken during training does not change it.
std::shared_ptr<Model> clone(const Model& model);
// The same by another description and with its weights, all of them by name.
std::shared_ptr<Model> clone(const Model& model, const ModelSpec& spec,
                             const std::map<std::string, at::Tensor>& weights);

void check_groups(const Model& model);
// The group of a parameter, buffer or module path such as "encoder.0.conv.weight".
std::string group_of(const Model& model, std::string_view path);
bool is_head(std::string_view group);                    // "head", "head.NAME"
bool is_adapter(std::string_view group);                 // "adapter.GROUP"
std::string_view adapted_group(std::string_view group);  // GROUP of "adapter.GROUP"; of another itself
// Names of the groups that a pattern means: a glob over names; "backbone" stands for all but the heads and the
// adapters, "backbone[a:b]" for a part of that as Python counts: [:-2] all but the last two. ConfigError
// with the nearest names where nothing matches.
std::vector<std::string> match_groups(const Model& model, const std::string& pattern, const std::string& path);
// The modules of a group: those whose path is one of its prefixes.
std::vector<std::shared_ptr<torch::nn::Module>> group_modules(const Model& model, const LayerGroup& group);

// "(N, 1, 28, 28)" for a batch of examples of the shape (1, 28, 28); −1 is written as "any".
std::string batch_shape_text(const std::vector<std::int64_t>& shape);

// The batch's "input", after a check against the model's signature: DataError says what the model expects, what came
// and what to do.
const at::Tensor& checked_input(const Model& model, const Fields& fields);

std::int64_t parameter_count(const torch::nn::Module& module);

}  // namespace vaetl
