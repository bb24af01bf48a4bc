// Every registered model, component and adapter, and descriptions that compute in other ways, exported to Python and to
// ONNX into the folder VAETL_EXPORTS, beside what the library makes of a batch of three: for test_exports.py, which
// runs this and looks at what the files compute.
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "models/filled.hpp"
#include "models/reduced.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/nn/adapter.hpp"
#include "vaetl/nn/component.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/zoo/export/export.hpp"

namespace vaetl::testing::models_export_test {
namespace {

struct ExportCase {
  std::string name, description;  // JSON
  friend void PrintTo(const ExportCase& shown, std::ostream* to) { *to << shown.description; }
};

constexpr const char* options_that_compute_otherwise[][2] = {
    {"autoencoder_k_sparse", R"({"name": "autoencoder", "input": [1, 8, 8], "widths": [], "latent": 8, "top_k": 3,
                                 "code_batch_norm": true, "output": "identity"})"},
    {"vae_mixture", R"({"name": "vae", "input": [1, 4, 4], "widths": [9], "latent": 3, "prior": "mixture",
                        "components": 5, "conditions": 3})"},
    {"vae_pseudo_inputs", R"({"name": "vae", "input": [1, 4, 4], "widths": [9], "latent": 3, "prior": "vamp",
                              "components": 5, "likelihood": "learned_gaussian"})"},
    {"vae_logistic", R"({"name": "vae", "input": [1, 4, 4], "widths": [9], "latent": 3,
                         "likelihood": "discretised_logistic"})"},
    {"sequence_vae_values", R"({"name": "sequence_vae", "input": [5, 3], "hidden": 6, "layers": 2, "latent": 3,
                                "likelihood": "gaussian"})"},
    {"vae_conditional", R"({"name": "vae", "input": [1, 8, 8], "widths": [9], "latent": 3, "conditions": 3})"},
    {"conv_vae_odd", R"({"name": "conv_vae", "input": [3, 11, 9], "channels": [2, 3], "dense": [6], "latent": 3,
                         "batch_norm": true, "conditions": 4})"},
    {"cnn_max_pool", R"({"name": "cnn", "input": [1, 9, 8], "channels": [2, 3], "dense": [6], "downsample": "max_pool",
                         "activation": "gelu", "classes": 3})"},
    {"cnn_silu", R"({"name": "cnn", "input": [2, 8, 8], "channels": [2, 3], "dense": [], "downsample": "stride",
                     "activation": "silu", "batch_norm": true, "classes": 3})"},
    {"cnn_components",
     R"({"name": "cnn", "input": [1, 8, 8], "channels": [4, 4], "dense": [6], "classes": 3, "insert": [
        {"after": "encoder.0", "name": "squeeze_excitation", "reduction": 2}, {"after": "encoder.0", "name": "glu"},
        {"after": "encoder.1", "name": "residual", "of": {"name": "self_attention", "heads": 2}},
        {"after": "encoder.1", "name": "highway"}, {"after": "encoder.2", "name": "residual", "of": "feed_forward"}]})"},
    {"mlp_components", R"({"name": "mlp", "input": [6], "widths": [8, 6], "activation": "elu", "layer_norm": true,
        "classes": 3, "insert": [{"after": "encoder.0", "name": "glu"}, {"after": "encoder.1", "name": "highway"},
        {"after": "encoder.1", "name": "squeeze_excitation", "reduction": 2}]})"},
    {"mlp_leaky",
     R"({"name": "mlp", "input": [1, 4, 4], "widths": [8], "activation": "leaky_relu_0.2", "batch_norm": true,
                      "classes": 3})"},
    {"mlp_regressor", R"({"name": "mlp", "input": [6], "widths": [8], "activation": "sigmoid", "classes": 0,
                          "outputs": 2})"},
    {"ia3", R"({"name": "conv_autoencoder", "input": [1, 8, 8], "channels": [2, 3], "dense": [6], "latent": 3,
                "adapters": [{"to": "*", "name": "ia3"}]})"},
    {"lstm_lora", R"({"name": "lstm", "input": [5, 3], "hidden": 6, "classes": 3,
                      "adapters": [{"to": "*", "name": "lora", "rank": 2}]})"},
    {"lstm_both_ways",
     R"({"name": "lstm", "input": [5, 3], "hidden": 6, "layers": 2, "bidirectional": true, "classes": 3})"},
    {"lstm_layers", R"({"name": "lstm", "input": [5, 3], "hidden": 6, "layers": 2, "classes": 0, "outputs": 2})"},
    {"lstm_attention", R"({"name": "lstm", "input": [5, 3], "hidden": 6, "classes": 3, "insert": [
        {"after": "encoder.rnn", "name": "residual", "of": {"name": "self_attention", "heads": 2}}]})"},
    {"gru_continues",
     R"({"name": "lstm", "cell": "gru", "input": [5, 3], "hidden": 6, "classes": 0, "outputs": 4,
                          "continues": [2, 0]})"},
    {"gru_both_ways_ids", R"({"name": "lstm", "cell": "gru", "input": [7], "vocabulary": 9, "embedding": 4, "hidden": 6,
                              "bidirectional": true, "classes": 3})"},
    {"gru_ids_attention", R"({"name": "lstm", "cell": "gru", "input": [7], "vocabulary": 9, "embedding": 4, "hidden": 6,
        "layers": 2, "classes": 3, "insert": [{"after": "encoder.rnn", "name": "self_attention", "heads": 2}]})"},
    {"lstm_per_step", R"({"name": "lstm", "per_step": true, "input": [7], "vocabulary": 9, "embedding": 4, "hidden": 6,
                          "layers": 2, "classes": 9})"},
    {"lstm_rows", R"({"name": "lstm", "input": [1, 8, 6], "hidden": 6, "classes": 3})"},
    {"gan_conditional", R"({"name": "gan", "input": [1, 4, 4], "widths": [9, 6], "noise": 4, "batch_norm": true,
                            "conditions": 3})"},
    {"dcgan_conditional", R"({"name": "dcgan", "input": [1, 8, 8], "channels": [2, 3], "noise": 4, "conditions": 3,
                              "spectral_norm": true})"},
    {"sequence_vae_ids", R"({"name": "sequence_vae", "input": [6], "vocabulary": 8, "embedding": 4, "hidden": 6,
                             "latent": 3})"},
    {"resnet_bottlenecks", R"({"name": "resnet", "depth": 50, "width": 0.0625, "stem": "cifar", "input": [3, 32, 32],
                               "classes": 3})"},
    {"resnet_shortcuts", R"({"name": "cifar_resnet", "depth": 8, "width": 0.5, "classes": 3})"},
    {"vgg_small_picture", R"({"name": "vgg", "depth": 11, "width": 0.03125, "input": [3, 64, 96], "classes": 3})"},
};

std::vector<ExportCase> cases() {
  std::vector<ExportCase> result;
  for (const std::string& name : registry<Model>().names()) {
    Json description = reduced(name);
    description["name"] = name;
    result.push_back({name, description.dump()});
  }
  const Json cnn = {{"name", "cnn"}, {"input", {1, 8, 8}}, {"channels", {4, 4}}, {"dense", {6}}, {"classes", 3}};
  for (const std::string& name : registry<nn::Component>().names()) {
    Json description = cnn;
    description["insert"] = Json::array({Json{{"after", "encoder.0"}, {"name", name}}});
    result.push_back({"component_" + name, description.dump()});
  }
  for (const std::string& name : registry<nn::Adapter>().names()) {
    Json description = cnn;
    description["adapters"] = Json::array({Json{{"to", "*"}, {"name", name}}});
    result.push_back({"adapter_" + name, description.dump()});
  }
  for (const auto& [name, description] : options_that_compute_otherwise) result.push_back({name, description});
  return result;
}

class Exported : public ::testing::TestWithParam<ExportCase> {
 protected:
  void SetUp() override {
    const char* given = std::getenv("VAETL_EXPORTS");
    if (!given) GTEST_SKIP() << "test_exports.py runs it, and looks at what it writes";
    folder_ = given;
    ModelSpec spec;
    Codec<ModelSpec>::read(parse_json(GetParam().description, GetParam().name), "model", spec, {});
    seed(1);
    model_ = build(spec);
    fill(*model_);
    const FieldInfo& input = model_->signature().inputs.at("input");
    const Json scale = {{"name", "scale"}, {"from", {0, 255}}, {"to", {input.low, input.high}}};
    model_->set_preprocess(input.dtype == at::kLong ? Json::array() : Json::array({scale}));
    model_->eval();
  }

  Pretrained pretrained() const {
    Pretrained result{model_};
    result.card.name = GetParam().name;
    result.card.model = model_->spec();
    result.card.preprocess = model_->preprocess();
    return result;
  }

  // Of three examples; of what may have any size another one than a test vector has.
  Fields batch() const {
    Fields fields;
    for (const auto& [name, info] : model_->signature().inputs) {
      std::vector<std::int64_t> shape = {3};
      for (const std::int64_t size : info.shape) shape.push_back(size == -1 ? 11 : size);
      const auto low = static_cast<std::int64_t>(info.low), high = static_cast<std::int64_t>(info.high);
      fields.set(name, info.dtype == at::kLong ? at::randint(low, high + 1, shape, at::kLong)
                                               : at::randint(0, 256, shape, at::kLong).to(at::kFloat));
    }
    return fields;
  }

  // What test_exports.py compares with: inputs and outputs of every part by their names.
  void write_reference(const Pretrained& model) const {
    const at::NoGradGuard no_grad;
    seed(7);
    const Fields fields = batch();
    const at::Tensor condition = fields.has("condition") ? fields["condition"] : at::Tensor();
    std::map<std::string, at::Tensor> tensors;
    if (condition.defined()) tensors["condition"] = condition;
    if (offers(*model_, "Encoder") || offers(*model_, "Restorer")) {
      tensors["input"] = fields.input();
      tensors["forward"] = model.predict_batch(fields);
    }
    if (offers(*model_, "Generator")) {
      auto& generator = require<Generator>(*model_);
      const bool encodes = tensors.contains("forward");
      tensors["noise"] = at::randn({3, generator.noise_size()});
      tensors[encodes ? "generate" : "forward"] = generator.generate(tensors["noise"], condition);
    } else if (offers(*model_, "Decoder")) {
      auto& decoder = require<Decoder>(*model_);
      tensors["code"] = at::randn({3, decoder.latent_size()});
      tensors["decode"] = decoder.decode(tensors["code"], condition)->mean();
    }
    write_safetensors(folder_ / (GetParam().name + ".safetensors"), tensors);
  }

  std::shared_ptr<Model> model_;
  std::filesystem::path folder_;
};

TEST_P(Exported, ToPythonAndOnnx) {
  const Pretrained model = pretrained();
  const std::filesystem::path python = folder_ / GetParam().name, onnx = folder_ / (GetParam().name + ".onnx");
  const zoo::Exported told = zoo::export_python(model, python);
  EXPECT_EQ(zoo::export_onnx(model, onnx).parts[0].output, told.parts[0].output);
  EXPECT_TRUE(told.steps_before.empty());
  const std::string module = read_file(python / "model.py");
  for (const auto& [name, tensor] : state(*model_)) {
    EXPECT_NE(module.find(fmt::format("\"{}\"", name)), std::string::npos) << name;
  }
  EXPECT_GT(std::filesystem::file_size(onnx), 100U);
  write_reference(model);
  for (std::size_t i = 1; i < told.parts.size(); ++i) {
    const std::string& part = told.parts[i].name;
    zoo::export_onnx(model, folder_ / fmt::format("{}.{}.onnx", GetParam().name, part), part);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Exported, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace vaetl::testing::models_export_test
