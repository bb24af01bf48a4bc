// A Model is a torch::nn::Module that its description rebuilds, with ordered layer groups. It is never edited: it is
// described again and loaded. It knows neither its loss, nor its optimiser, nor its data.
//
//   auto model = build({"cnn", {{"classes", 10}}});
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

  virtual std::vector<LayerGroup> groups() const = 0;  // from input to output; a classifier's last is "head"
  virtual Signature signature() const = 0;
  const ModelSpec& spec() const { return spec_; }

  // The fitted preprocessing that belongs to these weights (data/preprocess.hpp reads it), null before any was fitted.
  // fit, adapt and zoo::load set it; evaluate and predict apply it.
  const Json& preprocess() const { return preprocess_; }
  void set_preprocess(Json preprocess) { preprocess_ = std::move(preprocess); }

 private:
  ModelSpec spec_;
  Json preprocess_;
};

template <>
Registry<Model>& registry<Model>();  // defined by models/table.cpp

// Builds from the description and checks that every parameter and buffer lies in exactly one group (Error, internal).
// ConfigError for an unknown name, an option that does not hold, a model that does not fit in memory.
std::shared_ptr<Model> build(const ModelSpec& spec, const std::string& path = "model");
// Builds from the same description and copies parameters, buffers, preprocessing, mode and device. The default
// generator is left as it was, so a copy taken during training does not change it.
std::shared_ptr<Model> clone(const Model& model);

void check_groups(const Model& model);
// The group of a parameter, buffer or module path such as "encoder.0.conv.weight".
std::string group_of(const Model& model, std::string_view path);
// Names of the groups that a pattern means: a glob over names; "backbone" stands for all but the heads ("head",
// "head.NAME"). ConfigError with the nearest names where nothing matches.
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
