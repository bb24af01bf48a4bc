// Computations as graphs, and exports as files. What they compute is tested by tests/models/test_exports.py.
#include "vaetl/zoo/export/export.hpp"

#include <ATen/ATen.h>

#include "vaetl/models/cnn.hpp"
#include "vaetl/zoo/export/onnx_builder.hpp"
#include "vaetl/zoo/export/python.hpp"
#include "vaetl/zoo/export/trace.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::zoo_export_test {
namespace {

using zoo::exporting::Computation;
using zoo::exporting::Graph;
using zoo::exporting::Op;
using zoo::exporting::TracedInput;
using Tensors = std::vector<at::Tensor>;

const Weights weights = {{"encoder.0.weight", at::ones({4, 3})}, {"encoder.0.bias", at::ones({4})}};

Graph trace_rows(const Computation& computation, std::vector<std::int64_t> shape = {3}) {
  return zoo::exporting::trace(computation, {{.name = "input", .shape = std::move(shape)}}, weights);
}

at::Tensor dense_of(const at::Tensor& x) {
  return at::linear(x, weights.at("encoder.0.weight"), weights.at("encoder.0.bias"));
}

std::vector<std::string> lines_of(const Graph& graph) {
  std::vector<std::string> result;
  for (const Op& op : graph.ops) {
    result.push_back(graph[op.outputs[0]].name + " = " + op.name + " " + shape_text(graph, graph[op.outputs[0]].shape));
  }
  return result;
}

std::string python_of(const Graph& graph) { return zoo::exporting::python_method(graph, "forward").text; }

TEST(Export, OperatorsAreNamedAfterTheirLayers) {
  const Graph graph = trace_rows([](const Tensors& in) { return dense_of(in[0].contiguous()).relu_().sum(1); });
  EXPECT_EQ(lines_of(graph), (std::vector<std::string>{"encoder_0 = linear (N, 4)", "encoder_0_relu = relu (N, 4)",
                                                       "encoder_0_sum = sum (N)"}));
  EXPECT_EQ(python_of(graph),
            "    def forward(self, input):\n"
            "        w = self.weights()\n"
            "        input = input.float()\n"
            "        encoder_0 = F.linear(input, w[\"encoder.0.weight\"], w[\"encoder.0.bias\"])  # (N, 4)\n"
            "        encoder_0_relu = F.relu(encoder_0)  # (N, 4)\n"
            "        encoder_0_sum = torch.sum(encoder_0_relu, (1,))  # (N)\n"
            "        return encoder_0_sum\n");
}

TEST(Export, NumbersThatFollowTheInputAreSizes) {
  const auto computation = [](const Tensors& in) {
    const at::Tensor &x = in[0], last = x.narrow(1, x.size(1) - 1, 1);
    return at::cat({x - last, at::zeros({x.size(0), 2, 3})}, 1).reshape({3 * x.size(0), -1, 1});
  };
  const Graph graph = trace_rows(computation, {-1, 3});
  const std::string text = python_of(graph);
  for (const char* part : {"n = input.shape[0]", "t = input.shape[1]", "torch.narrow(input, 1, t - 1, 1)  # (N, 1, 3)",
                           "torch.zeros((n, 2, 3), dtype=torch.float32, device=input.device)",
                           "torch.reshape(cat, (3 * n, -1, 1))", "# (3 N, T + 2, 1)"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

// What depends on no input is a constant of the file, whatever made it.
TEST(Export, WhatDependsOnNoInputIsFixed) {
  const Graph graph = trace_rows([](const Tensors& in) {
    const at::Tensor scaled = weights.at("encoder.0.weight") * at::tensor(std::vector<float>{1.5F, 2.5F, 3.5F});
    return at::linear(in[0], scaled) + at::arange(4);
  });
  std::vector<std::string> fixed;
  for (const Op& op : graph.ops) {
    if (graph[op.outputs[0]].fixed) fixed.push_back(op.name);
  }
  EXPECT_EQ(fixed, (std::vector<std::string>{"mul", "arange"}));
  EXPECT_NE(python_of(graph).find("torch.tensor([1.5, 2.5, 3.5], dtype=torch.float32, device=input.device)"),
            std::string::npos)
      << python_of(graph);
}

TEST(Export, LargeConstantsAreNotWrittenOut) {
  const Graph graph =
      trace_rows([](const Tensors& in) { return in[0] + at::tensor(std::vector<double>(65, 0.5)); }, {65});
  const auto method = zoo::exporting::python_method(graph, "forward");
  EXPECT_NE(method.text.find("input + self.constant"), std::string::npos) << method.text;
  EXPECT_EQ(method.constants.at("constant").numel(), 65);
}

TEST(Export, RefusesWhatIsNoFunctionOfItsInput) {
  const std::string same = "a model that does the same whatever the size of its input";
  expect_error<ConfigError>([&] { trace_rows([](const Tensors& in) { return in[0] + at::randn({3}); }); },
                            {"export: expected " + same, "draws at random"});
  expect_error<ConfigError>(
      [&] { trace_rows([](const Tensors& in) { return in[0].size(0) > 2 ? in[0].relu() : in[0].tanh(); }); },
      {same, "one that calls other operators for another size"});
  expect_error<ConfigError>(
      [&] { trace_rows([](const Tensors& in) { return at::ones({in[0].size(0) * in[0].size(0)}); }); },
      {same, "a size of aten::ones that is not linear in it"});
  expect_error<ConfigError>([&] { trace_rows([](const Tensors& in) { return in[0] * std::exp(in[0].size(0)); }); },
                            {same, "aten::mul with numbers that depend on it"});
}

TEST(Export, RefusesChangesByWayOfAnotherTensor) {
  expect_error<ConfigError>(
      [&] {
        trace_rows([](const Tensors& in) {
          const at::Tensor y = dense_of(in[0]), part = y.slice(1, 0, 2);
          part.relu_();
          return y;
        });
      },
      {"operators of LibTorch alone, found a tensor that was changed by way of another"});
  expect_error<ConfigError>(
      [&] {
        trace_rows([](const Tensors& in) { return in[0] + at::Tensor(weights.at("encoder.0.bias")).mul_(1).sum(); });
      },
      {"found one that changes \"encoder.0.bias\""});
}

TEST(Export, UnknownOperatorsAreToldWithTheirLayer) {
  const Graph graph = trace_rows([](const Tensors& in) { return at::cos(dense_of(in[0])); });
  expect_error<ConfigError>(
      [&] { python_of(graph); },
      {"export to Python: layer \"encoder.0\": expected an operator that Python has", "found aten::cos"});
  OnnxModel model;
  zoo::exporting::OnnxBuilder builder(graph, model);
  expect_error<ConfigError>(
      [&] { zoo::exporting::write_operator(builder, graph.ops.back()); },
      {"export to ONNX: layer \"encoder.0\": expected an operator that ONNX has", "found aten::cos"});
}

using ZooExport = ZooTest;

TEST_F(ZooExport, AnEntryBecomesAFolder) {
  save_classifier();
  const fs::path folder = root() / "python" / "shapes";
  const zoo::Exported told = zoo::export_python(zoo::load("shapes"), folder);
  EXPECT_EQ(told.parts[0].input, "input (N, 1, 8, 8): as the data store it, values from 0 to 255");
  EXPECT_EQ(told.parts[0].output, "logits (N, 3)");
  std::vector<std::string> files;
  for (const auto& [name, content] : contents(folder)) files.push_back(name);
  EXPECT_EQ(files, (std::vector<std::string>{"README.md", "card.json", "model.py", "model.safetensors"}));
  const Json card = parse_json(read_file(folder / "card.json"), "card.json");
  EXPECT_EQ(card["classes"], Json({"disc", "box", "star"}));
  EXPECT_EQ(card["test_vector"], read_card_json(root() / "zoo" / "shapes")["test_vector"]);
  EXPECT_NE(read_file(folder / "README.md").find("| licence of the weights | CC0-1.0 |"), std::string::npos);
  zoo::export_python(zoo::load("shapes"), folder);  // an export replaces an export
}

TEST_F(ZooExport, FoldersOfOtherThingsStay) {
  save_classifier();
  const fs::path folder = root() / "mine";
  make_folder(folder);
  write_atomically(folder / "thesis.txt", "text");
  expect_error<OutputError>([&] { zoo::export_python(zoo::load("shapes"), folder); },
                            {"mine: expected an earlier export to replace", "found a folder of other things"});
  EXPECT_EQ(contents(folder).size(), 1U);
  expect_error<OutputError>([&] { zoo::export_python(zoo::load("shapes"), folder / "thesis.txt"); }, {"found a file"});
}

// Steps that change the shape are the caller's; the others are part of the export, and the vector's input is before
// them.
TEST_F(ZooExport, PreprocessingThatKeepsTheShapeIsPartOfIt) {
  const auto model = small_classifier();
  const Json steps = {{{"name", "resize"}, {"size", {8, 8}}},
                      {{"name", "scale"}, {"from", {0, 255}}, {"to", {0, 1}}},
                      {{"name", "standardise"}, {"mean", {0.5}}, {"std", {0.25}}}};
  model->set_preprocess(steps);
  zoo::save("resized", *model, finished_run());
  const Pretrained entry = zoo::load("resized");
  ASSERT_EQ(entry.card.test_vector->stage, "preprocessed");
  const zoo::Exported told = zoo::export_python(entry, root() / "resized");
  EXPECT_EQ(told.steps_before, std::vector<std::string>{"resize"});
  EXPECT_NE(told.parts[0].input.find("what resize of the preprocessing made of the data"), std::string::npos)
      << told.parts[0].input;
  const Json vector = parse_json(read_file(root() / "resized" / "card.json"), "card.json")["test_vector"];
  const double seen = entry.card.test_vector->input[5], before = vector["input"][5].get<double>();
  EXPECT_NEAR(before, 255 * (0.5 + 0.25 * seen), 1e-2);
  EXPECT_EQ(vector["output"], Json(entry.card.test_vector->output));
  const std::string module = read_file(root() / "resized" / "model.py");
  EXPECT_NE(module.find("input_mul = input * 0.00392"), std::string::npos) << module;
  EXPECT_NE(module.find("sub = input_mul - view"), std::string::npos) << module;
}

TEST_F(ZooExport, NothingIsLeftOfWhatCannotBeExported) {
  const auto model = small_classifier();
  model->set_preprocess({{{"name", "columns"}}});
  Pretrained pretrained{model};
  pretrained.card.test_vector =
      zoo::TestVector{.shape = {1, 1, 8, 8}, .input = std::vector<double>(64, 1), .output = {0, 0, 0}};
  EXPECT_THROW(zoo::export_python(pretrained, root() / "none"), Error);
  EXPECT_THROW(zoo::export_onnx(pretrained, root() / "none.onnx"), Error);
  EXPECT_FALSE(fs::exists(root() / "none"));
  EXPECT_FALSE(fs::exists(root() / "none.onnx"));
}

}  // namespace
}  // namespace vaetl::testing::zoo_export_test
