#include "vaetl/zoo/export/python_module.hpp"

#include "vaetl/core/text.hpp"
#include "vaetl/zoo/export/python.hpp"

namespace vaetl::zoo::exporting {
namespace {

// {0} the document, {1} parameters, {2} buffers, {3} constants in __init__, {4} the methods.
constexpr const char* module_text = R"PY("""{0}"""
import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent

PARAMETERS = {{
{1}}}
BUFFERS = {{
{2}}}


def register(module, name, tensor):
    """Puts a tensor below a module under its dotted name."""
    *path, last = name.split(".")
    for part in path:
        if part not in module._modules:
            module.add_module(part, nn.Module())
        module = module._modules[part]
    if isinstance(tensor, nn.Parameter):
        module.register_parameter(last, tensor)
    else:
        module.register_buffer(last, tensor)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        for name, shape in PARAMETERS.items():
            register(self, name, nn.Parameter(torch.zeros(shape)))
        for name, (shape, dtype) in BUFFERS.items():
            register(self, name, torch.zeros(shape, dtype=dtype))
{3}
    def weights(self):
        """Parameters and buffers by their names."""
        return dict(self.named_parameters()) | dict(self.named_buffers())

{4}
def load(folder=HERE):
    """The model with its weights, in evaluation mode."""
    model = Model()
    model.load_state_dict(load_file(pathlib.Path(folder) / "model.safetensors"), strict=True)
    return model.eval()


def check():
    """The card's test vector: the largest difference, and how large it may be."""
    vector = json.loads((HERE / "card.json").read_text(encoding="utf-8"))["test_vector"]
    inputs = [torch.tensor(vector["input"], dtype=torch.float64).reshape(vector["shape"])]
    if vector["condition"]:
        inputs.append(torch.tensor(vector["condition"]))
    with torch.no_grad():
        output = load()(*inputs)
    expected = torch.tensor(vector["output"], dtype=torch.float64)
    return float((output.double().flatten() - expected).abs().max()), vector["tolerance"]


if __name__ == "__main__":
    difference, tolerance = check()
    print(f"test vector: largest difference {{difference:.2g}}, tolerance {{tolerance:.2g}}")
    sys.exit(0 if difference <= tolerance else 1)
)PY";

constexpr const char* readme_text = R"(# {0}

{1}A model of vaetl as a module of Python.

```sh
pip install torch safetensors
python model.py    # computes the test vector of card.json and prints the largest difference
```

```python
from model import load
model = load()     # an nn.Module in evaluation mode, with the names and weights of model.safetensors
{2}```

| | |
|---|---|
{3})";

// Of a text that a file brought, nothing that ends a docstring.
std::string for_docstring(const std::string& text) {
  std::string result;
  for (const char c : one_line(text)) result += c == '\\' || c == '"' ? '\'' : c;
  return result;
}

std::string shape_of(const ExportPart& part, Ref ref) { return shape_text(part.graph, part.graph[ref].shape); }

std::vector<std::string> input_names(const ExportPart& part) {
  std::vector<std::string> names;
  for (const Ref input : part.graph.inputs) names.push_back(part.graph[input].name);
  return names;
}

// model(input), model.generate(noise, condition)
std::string call_of(const ExportPart& part) {
  return fmt::format("model{}({})", part.name == "forward" ? "" : "." + part.name, join(input_names(part)));
}

std::string document(const ExportPlan& plan) {
  const Card& card = plan.card;
  std::string text = for_docstring(card.name.empty() ? card.model.name : card.name);
  if (!card.summary.empty()) text += ": " + for_docstring(card.summary);
  text += fmt::format("\n\nA {} of vaetl. Needs torch and safetensors.\n\n", for_docstring(card.model.name));
  text += "    from model import load\n    model = load()  # an nn.Module in evaluation mode\n";
  for (const ExportPart& part : plan.parts) {
    text += fmt::format("    {} = {}  # {}\n", part.output, call_of(part), shape_of(part, part.graph.output));
  }
  text += "\n";
  for (const ExportPart& part : plan.parts) {
    const Ref input = part.graph.inputs[0];
    text += fmt::format("{} {}: {}.\n", part.graph[input].name, shape_of(part, input), for_docstring(part.input_text));
  }
  const auto& inputs = plan.forward().inputs;
  if (inputs.size() > 1) text += fmt::format("condition (N): classes from 0 to {}.\n", inputs[1].most);
  return text + "\n`python model.py` computes the test vector of card.json and prints the largest difference.\n";
}

std::string entries(const Model& model, bool parameters) {
  std::map<std::string, bool> is_parameter;
  for (const auto& item : model.named_parameters()) is_parameter[item.key()] = true;
  const Weights tensors = state(model);
  std::string text;
  for (const std::string& name : names_in_order(model)) {
    if (is_parameter.contains(name) != parameters) continue;
    const at::Tensor& tensor = tensors.at(name);
    const std::string shape = python_shape(tensor.sizes());
    text += fmt::format("    {}: {},\n", python_text(name),
                        parameters ? shape : fmt::format("({}, {})", shape, python_dtype(tensor.scalar_type())));
  }
  return text;
}

std::string register_constants(const std::map<std::string, at::Tensor>& constants) {
  if (constants.empty()) return {};
  return "        for name, tensor in load_file(HERE / \"constants.safetensors\").items():\n"
         "            self.register_buffer(name, tensor, persistent=False)\n";
}

std::string readme(const ExportPlan& plan) {
  const Card& card = plan.card;
  std::string rows, calls;
  const auto row = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) rows += fmt::format("| {} | {} |\n", name, one_line(value));
  };
  for (const ExportPart& part : plan.parts) {
    calls += fmt::format("{} = {}\n", part.output, call_of(part));
    row(input_names(part)[0], shape_of(part, part.graph.inputs[0]) + ", " + part.input_text);
    row(part.output, shape_of(part, part.graph.output));
  }
  if (!plan.before.empty()) row("preprocessing to be done before", "`" + plan.before.dump() + "`");
  row("classes", join(card.classes));
  row("licence of the weights", card.licence);
  row("licence of the data", card.data_licence);
  const std::string summary = card.summary.empty() ? "" : one_line(card.summary) + "\n\n";
  return fmt::format(readme_text, one_line(card.name), summary, calls, rows);
}

}  // namespace

PythonModule python_module(const ExportPlan& plan, const Model& model) {
  PythonModule module;
  std::string methods;
  for (const ExportPart& part : plan.parts) {
    PythonMethod method = python_method(part.graph, part.name);
    methods += method.text + "\n";
    module.constants.merge(method.constants);
  }
  Json card = facts_of(plan, plan.forward());
  card["test_vector"] = to_json(*plan.card.test_vector);
  module.source = fmt::format(module_text, document(plan), entries(model, true), entries(model, false),
                              register_constants(module.constants), methods);
  module.card = card.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  module.readme = readme(plan);
  return module;
}

}  // namespace vaetl::zoo::exporting
