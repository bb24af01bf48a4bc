#include "vaetl/zoo/export/plan.hpp"

#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/zoo/compute.hpp"
#include "vaetl/zoo/test_vector.hpp"

namespace vaetl::zoo::exporting {
namespace {

using Shape = std::vector<std::int64_t>;

TestVector with_all_values(TestVector vector) {
  const at::Tensor input = input_of(vector).contiguous();
  vector.input.assign(input.const_data_ptr<double>(), input.const_data_ptr<double>() + input.numel());
  return vector;
}

TestVector vector_of(const Pretrained& pretrained) {
  auto vector = pretrained.card.test_vector;
  if (!vector) vector = make_test_vector("export", pretrained.model);
  if (vector) return with_all_values(*vector);
  throw ConfigError({"export",
                     "a model of one input, `input`, of a size that a card's test vector can have",
                     "model " + quote(pretrained.model->spec().name) + " with other inputs or a larger one",
                     {}});
}

Json end_of(const Json& specs, std::size_t first) {
  Json end = Json::array();
  for (std::size_t i = first; i < specs.size(); ++i) end.push_back(specs[i]);
  return end;
}

std::string name_of(const Json& spec) {
  return spec.is_string() ? spec.get<std::string>() : spec.value("name", std::string());
}

// Where the longest end of the preprocessing begins that leaves the input's shape as it is.
std::size_t first_that_keeps_shape(const Json& specs, const Shape& shape) {
  std::size_t first = 0;
  while (first < specs.size() && Preprocess::from_json(end_of(specs, first)).raw_shape(shape) != shape) ++first;
  return first;
}

// The vector's input as it was before that end of the preprocessing. False where that cannot be told.
bool undo(const Preprocess& end, TestVector& vector) {
  const at::Tensor after = at::tensor(vector.input, at::kDouble).to(at::kFloat).view(vector.shape);
  const at::Tensor before = end.restore("input", after).contiguous();
  Fields fields;
  fields.set("input", before);
  end.apply(fields);
  const double tolerance = 1e-5 * std::max(1.0, after.abs().max().item<double>());
  if (fields.input().sizes() != after.sizes() || !at::allclose(fields.input(), after, 0, tolerance)) return false;
  const at::Tensor values = before.to(at::kDouble);
  vector.input.assign(values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel());
  return true;
}

struct Preparation {
  Preprocess inside;
  Json before = Json::array();
};

// How much of the preprocessing is part of the export: all of it where its test vector is raw, else what comes after
// the last step that changes the shape.
Preparation prepare(const Model& model, TestVector& vector) {
  const Json specs = model.preprocess().is_array() ? model.preprocess() : Json::array();
  std::size_t first = 0;
  if (vector.stage != "raw") {
    first = first_that_keeps_shape(specs, model.signature().inputs.at("input").shape);
    if (!undo(Preprocess::from_json(end_of(specs, first)), vector)) first = specs.size();
  }
  Preparation result{Preprocess::from_json(end_of(specs, first)), Json::array()};
  for (std::size_t i = 0; i < first; ++i) {
    if (name_of(specs[i]) != "read") result.before.push_back(specs[i]);
  }
  return result;
}

std::string range_text(const std::optional<Range>& range) {
  return range && std::isfinite(range->low) && std::isfinite(range->high)
             ? fmt::format(", values from {:g} to {:g}", range->low, range->high)
             : "";
}

std::string input_text(const FieldInfo& info, const Preparation& preparation) {
  if (info.dtype == at::kLong) {
    return fmt::format("token ids from 0 to {}, as the tokenizer of the preprocessing has them",
                       static_cast<std::int64_t>(info.high));
  }
  const std::string range = range_text(preparation.inside.raw_range(between(info.low, info.high)));
  if (preparation.before.empty()) return "as the data store it" + range;
  std::vector<std::string> names;
  for (const Json& spec : preparation.before) names.push_back(name_of(spec));
  return fmt::format("what {} of the preprocessing made of the data{}", join(names), range);
}

void add_condition(const Model& model, ExportPart& part) {
  if (!offers(model, Conditional::capability)) return;
  const std::int64_t count = dynamic_cast<const Conditional&>(model).conditions();
  part.inputs.push_back({.name = "condition", .shape = {}, .dtype = at::kLong, .least = 0, .most = count - 1});
}

at::Tensor second_or_none(const std::vector<at::Tensor>& inputs) {
  return inputs.size() > 1 ? inputs[1] : at::Tensor();
}

ExportPart encoding_part(Model& model, ExportPlan& plan) {
  const FieldInfo info = model.signature().inputs.at("input");
  const Preparation preparation = prepare(model, *plan.card.test_vector);
  plan.before = preparation.before;
  const bool ids = info.dtype == at::kLong;
  ExportPart part{.output = plan.card.test_vector->of, .input_text = input_text(info, preparation)};
  // Ids as readers store them, which preprocessing keeps whole.
  part.inputs.push_back({.name = "input",
                         .shape = info.shape,
                         .dtype = ids ? at::kInt : at::kFloat,
                         .least = ids ? 1 : 0,
                         .most = ids ? static_cast<std::int64_t>(info.high) : 1});
  add_condition(model, part);
  const Preprocess whole = Preprocess::from_json(model.preprocess().is_array() ? model.preprocess() : Json::array());
  const auto computation = [&](const std::vector<at::Tensor>& inputs) {
    Fields fields;
    fields.set("input", inputs[0]);
    if (inputs.size() > 1) fields.set("condition", inputs[1]);
    preparation.inside.apply(fields);
    return output_for(model, fields, whole);
  };
  part.graph = trace(computation, part.inputs, state(model));
  return part;
}

ExportPart generating_part(Model& model, const std::string& name) {
  auto& generator = require<Generator>(model, "export");
  ExportPart part{.name = name, .output = "generated", .input_text = "standard normal values"};
  part.inputs.push_back({.name = "noise", .shape = {generator.noise_size()}});
  add_condition(model, part);
  const auto computation = [&](const std::vector<at::Tensor>& inputs) {
    return generator.generate(inputs[0], second_or_none(inputs));
  };
  part.graph = trace(computation, part.inputs, state(model));
  return part;
}

ExportPart decoding_part(Model& model) {
  auto& decoder = require<Decoder>(model, "export");
  ExportPart part{.name = "decode", .output = "decoded", .input_text = "what the model encodes to"};
  part.inputs.push_back({.name = "code", .shape = {decoder.latent_size()}});
  add_condition(model, part);
  const auto computation = [&](const std::vector<at::Tensor>& inputs) {
    return decoder.decode(inputs[0], second_or_none(inputs))->mean();
  };
  part.graph = trace(computation, part.inputs, state(model));
  return part;
}

}  // namespace

const ExportPart& ExportPlan::part(const std::string& name) const {
  std::vector<std::string> names;
  for (const ExportPart& each : parts) {
    if (each.name == name) return each;
    names.push_back(each.name);
  }
  throw ConfigError({"export: part", "of this model one of " + join(names), quote(name), did_you_mean(name, names)});
}

ExportPlan plan_export(const Pretrained& pretrained) {
  ExportPlan plan;
  plan.card = pretrained.card;
  plan.card.test_vector = vector_of(pretrained);
  Model& model = *pretrained.model;
  if (plan.card.test_vector->stage == "noise") {
    plan.parts.push_back(generating_part(model, "forward"));
    return plan;
  }
  plan.parts.push_back(encoding_part(model, plan));
  if (offers(model, Generator::capability)) {
    plan.parts.push_back(generating_part(model, "generate"));
  } else if (offers(model, Decoder::capability)) {
    plan.parts.push_back(decoding_part(model));
  }
  return plan;
}

Json facts_of(const ExportPlan& plan, const ExportPart& part) {
  const Card& card = plan.card;
  return {{"name", card.name},
          {"version", card.version},
          {"summary", card.summary},
          {"licence", card.licence},
          {"data_licence", card.data_licence},
          {"model", Codec<ModelSpec>::write(card.model)},
          {"input", part.input_text},
          {"output", part.output},
          {"classes", card.classes},
          {"preprocess", card.preprocess},
          {"preprocess_before", plan.before}};
}

}  // namespace vaetl::zoo::exporting
