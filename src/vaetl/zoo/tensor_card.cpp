#include "vaetl/zoo/tensor_card.hpp"

#include "vaetl/core/text.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/restorer.hpp"

namespace vaetl {

void Codec<zoo::Dimension>::read(const Json& json, const std::string& path, zoo::Dimension& value, const Rule&) {
  constexpr std::int64_t largest = std::int64_t{1} << 31;
  value = {};
  if (json.is_string() && !json.get_ref<const std::string&>().empty()) {
    value.name = json.get<std::string>();
  } else if (json.is_number_integer()) {
    Codec<std::int64_t>::read(json, path, value.size, {between(1, largest), {}});
  } else {
    throw_type(path, "a size, or the name of one that may be any", json);
  }
}
Json Codec<zoo::Dimension>::write(const zoo::Dimension& value) {
  return value.name.empty() ? Json(value.size) : Json(value.name);
}
Json Codec<zoo::Dimension>::schema(const Rule&) {
  return Json{{"type", {"integer", "string"}}, {"minimum", 1}, {"minLength", 1}};
}

namespace zoo {
namespace {

const Dimension any_number = {.size = 0, .name = "N"};

// Of an example's axes. Two of a network that reads steps are steps and values, of another rows and columns.
std::string example_layout(const FieldInfo& info, bool reads_steps) {
  switch (info.shape.size()) {
    case 0:
      return "";
    case 1:
      return reads_steps && info.dtype == at::kLong ? "T" : info.shape[0] == -1 ? "T" : "C";
    case 2:
      return reads_steps ? "TC" : "HW";
    case 3:
      return "CHW";
    default:
      return {};
  }
}

TensorCard describe_field(const FieldInfo& info, bool reads_steps) {
  TensorCard tensor{.dtype = info.dtype, .shape = {any_number}};
  const std::string axes = example_layout(info, reads_steps);
  if (axes.size() == info.shape.size()) tensor.layout = "N" + axes;
  for (std::size_t i = 0; i < info.shape.size(); ++i) {
    const std::string name = axes.size() == info.shape.size() ? axes.substr(i, 1) : fmt::format("D{}", i);
    tensor.shape.push_back(info.shape[i] == -1 ? Dimension{0, name} : Dimension{info.shape[i], {}});
  }
  if (info.low < info.high) {
    tensor.low = info.low;
    tensor.high = info.high;
  }
  return tensor;
}

TensorCard describe_values(std::vector<Dimension> shape, const std::string& layout) {
  shape.insert(shape.begin(), any_number);
  return {.dtype = at::kFloat, .shape = std::move(shape), .layout = layout};
}

bool reads_steps(const Model& model) { return dynamic_cast<const SequenceModel*>(&model) != nullptr; }

TensorCard describe_features(const Encoder& encoder) {
  TensorCard features = describe_values({{encoder.feature_size(), {}}}, "NC");
  const Range range = encoder.feature_range(), unlimited = {};
  if (range.low > unlimited.low) features.low = range.low;
  if (range.high < unlimited.high) features.high = range.high;
  return features;
}

// One output a step of the input.
TensorCard describe_steps(const Model& model) {
  const auto inputs = model.signature().inputs;
  const auto found = inputs.find("input");
  const bool fixed = found != inputs.end() && !found->second.shape.empty() && found->second.shape[0] > 0;
  const Dimension steps = fixed ? Dimension{found->second.shape[0], {}} : Dimension{0, "T"};
  return describe_values({steps, {dynamic_cast<const SequenceModel&>(model).step_outputs(), {}}}, "NTC");
}

}  // namespace

TensorCards inputs_of(const Model& model) {
  TensorCards inputs;
  for (const auto& [name, info] : model.signature().inputs) inputs[name] = describe_field(info, reads_steps(model));
  if (offers(model, Generator::capability) && !offers(model, Encoder::capability)) {
    inputs["noise"] = describe_values({{dynamic_cast<const Generator&>(model).noise_size(), {}}}, "NC");
  }
  return inputs;
}

TensorCards outputs_of(const Model& model, const std::vector<std::string>& classes) {
  TensorCards outputs;
  if (offers(model, Classifier::capability)) {
    outputs["logits"] = describe_values({{dynamic_cast<const Classifier&>(model).classes(), {}}}, "NC");
    if (!classes.empty()) outputs["logits"].classes = classes;
  }
  if (offers(model, Regressor::capability)) {
    outputs["predictions"] = describe_values({{dynamic_cast<const Regressor&>(model).outputs(), {}}}, "NC");
  }
  if (offers(model, SequenceModel::capability)) outputs["steps"] = describe_steps(model);
  if (offers(model, Encoder::capability)) outputs["features"] = describe_features(dynamic_cast<const Encoder&>(model));
  const auto inputs = model.signature().inputs;
  for (const auto& [capability, output] :
       {std::pair{Restorer::capability, "restored"}, {Generator::capability, "generated"}}) {
    if (!offers(model, capability) || !inputs.contains("input")) continue;
    outputs[output] = describe_field(inputs.at("input"), reads_steps(model));
  }
  return outputs;
}

std::string to_text(const TensorCard& tensor) {
  std::vector<std::string> sizes;
  for (const Dimension& size : tensor.shape) {
    sizes.push_back(size.name.empty() ? std::to_string(size.size) : size.name);
  }
  return fmt::format("{} ({})", dtype_name(tensor.dtype), join(sizes));
}

}  // namespace zoo
}  // namespace vaetl
