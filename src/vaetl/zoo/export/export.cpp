#include "vaetl/zoo/export/export.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/onnx.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/zoo/export/onnx_builder.hpp"
#include "vaetl/zoo/export/plan.hpp"
#include "vaetl/zoo/export/python_module.hpp"

namespace vaetl::zoo::exporting {
namespace {

namespace fs = std::filesystem;

constexpr const char* module_file = "model.py";

ExportedPart described_part(const ExportPart& part) {
  const Graph& graph = part.graph;
  const Value& input = graph[graph.inputs[0]];
  return {part.name, fmt::format("{} {}: {}", input.name, shape_text(graph, input.shape), part.input_text),
          fmt::format("{} {}", part.output, shape_text(graph, graph[graph.output].shape))};
}

std::vector<std::string> names_of_steps(const Json& specs) {
  std::vector<std::string> names;
  for (const Json& spec : specs) names.push_back((spec.is_string() ? spec : spec.at("name")).get<std::string>());
  return names;
}

// What AtomicFolder replaces is gone, so it must be an export.
void check_export_folder(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) return;
  const bool ours =
      fs::is_regular_file(folder / module_file, ignored) && fs::is_regular_file(folder / python_card_file, ignored);
  if (fs::is_directory(folder, ignored) && (ours || fs::is_empty(folder, ignored))) return;
  throw OutputError({folder.string(), "an earlier export to replace, an empty folder or nothing",
                     fs::is_directory(folder, ignored) ? "a folder of other things" : "a file",
                     "choose another folder"});
}

OnnxSize onnx_size(const Graph& graph, const Size& size) {
  if (size.constant()) return size.fixed;
  const std::string text = shape_text(graph, {size});
  return text.substr(1, text.size() - 2);
}

OnnxValue onnx_value(const Graph& graph, Ref ref, const std::string& name, const std::string& text) {
  const Value& value = graph[ref];
  OnnxValue result{.name = name, .dtype = value.example.scalar_type(), .shape = {}, .text = text};
  for (const Size& size : value.shape) result.shape.push_back(onnx_size(graph, size));
  return result;
}

// A JSON value as a text: a string as it is.
std::string plain_text(const Json& json) { return json.is_string() ? json.get<std::string>() : json.dump(); }

OnnxModel onnx_model(const ExportPlan& plan, const ExportPart& part) {
  const Graph& graph = part.graph;
  OnnxModel model{.name = plan.card.name.empty() ? plan.card.model.name : plan.card.name, .text = plan.card.summary};
  OnnxBuilder builder(graph, model);
  for (const Ref input : graph.inputs) {
    builder.define(input, graph[input].name);
    model.inputs.push_back(
        onnx_value(graph, input, graph[input].name, input == graph.inputs[0] ? part.input_text : "classes"));
  }
  for (const Op& op : graph.ops) {
    if (graph[op.outputs[0]].fixed) continue;
    builder.begin(graph[op.outputs[0]].name);
    const OnnxNames names = write_operator(builder, op);
    for (std::size_t i = 0; i < names.size(); ++i) builder.define(op.outputs[i], names[i]);
  }
  model.nodes.push_back({"Identity", {builder(graph.output)}, {part.output}});
  model.outputs.push_back(onnx_value(graph, graph.output, part.output, {}));
  const Json facts = facts_of(plan, part);
  for (const auto& [key, value] : facts.items()) model.metadata[key] = plain_text(value);
  return model;
}

}  // namespace
}  // namespace vaetl::zoo::exporting

namespace vaetl::zoo {

Exported export_python(const Pretrained& pretrained, const std::filesystem::path& folder) {
  exporting::check_export_folder(folder);
  const auto plan = exporting::plan_export(pretrained);
  const auto module = exporting::python_module(plan, *pretrained.model);
  make_folder(std::filesystem::absolute(folder).parent_path());
  AtomicFolder target(folder);
  write_atomically(target.path() / exporting::module_file, module.source);
  write_atomically(target.path() / exporting::python_card_file, module.card);
  write_atomically(target.path() / "README.md", module.readme);
  write_safetensors(target.path() / "model.safetensors", state(*pretrained.model), {{"format", "pt"}});
  if (!module.constants.empty()) write_safetensors(target.path() / "constants.safetensors", module.constants);
  target.commit();
  Exported told{.parts = {}, .steps_before = exporting::names_of_steps(plan.before)};
  for (const auto& part : plan.parts) told.parts.push_back(exporting::described_part(part));
  return told;
}

Exported export_onnx(const Pretrained& pretrained, const std::filesystem::path& file, const std::string& part) {
  const auto plan = exporting::plan_export(pretrained);
  const OnnxModel model = exporting::onnx_model(plan, plan.part(part));
  make_folder(std::filesystem::absolute(file).parent_path());
  write_onnx(file, model);
  return {.parts = {exporting::described_part(plan.part(part))},
          .steps_before = exporting::names_of_steps(plan.before)};
}

}  // namespace vaetl::zoo
