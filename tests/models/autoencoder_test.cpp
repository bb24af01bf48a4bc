// Autoencoders and their objectives against tests/parity/autoencoder.py, and what the code's options do.
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/models/autoencoder.hpp"
#include "vaetl/models/cnn.hpp"
#include "vaetl/models/conv_autoencoder.hpp"
#include "vaetl/models/mlp.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/objectives/corruption.hpp"
#include "vaetl/objectives/objective.hpp"
#include "vaetl/train/optimizer.hpp"

namespace vaetl::testing::autoencoder_test {
namespace {

using models::Autoencoder;
using models::ConvAutoencoder;

// Both sides compute in float64: some thousand operations, each rounded by 2⁻⁵³, on values of at most about 10.
constexpr double rounding = 1e-11;

const TensorFile& parity() {
  static const TensorFile file = read_safetensors("tests/parity/autoencoder.safetensors");
  return file;
}

// The tensors of one case, in float64.
class Stored {
 public:
  explicit Stored(const std::string& name) {
    for (const auto& [key, tensor] : parity().tensors) {
      if (key.starts_with(name + "/")) tensors_[key.substr(name.size() + 1)] = tensor.to(at::kDouble);
    }
  }
  bool has(const std::string& key) const { return tensors_.contains(key); }
  const at::Tensor& operator[](const std::string& key) const { return tensors_.at(key); }
  Weights all(const std::string& kind) const {
    Weights result;
    for (const auto& [key, tensor] : tensors_) {
      if (key.starts_with(kind + ".")) result[key.substr(kind.size() + 1)] = tensor;
    }
    return result;
  }

 private:
  Weights tensors_;
};

// Another corruption with the noise that the file has, one step after the other.
struct Replayed final : Corruption {
  static constexpr std::string_view name = "replayed";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  explicit Replayed(Options) : corruption(registry<Corruption>().make(kind)) {}
  at::Tensor draw(const at::Tensor&) const override { return noise[step++]; }
  at::Tensor apply(const at::Tensor& x, const at::Tensor& drawn, const FieldInfo& info) const override {
    return corruption->apply(x, drawn, info);
  }
  std::shared_ptr<Corruption> corruption;
  static inline Spec<Corruption> kind = {};
  static inline at::Tensor noise = {};
  static inline std::int64_t step = 0;
};

// The objective of a case, its noise replayed.
std::shared_ptr<Objective> replaying(Json objective, const Stored& stored) {
  for (Json& part : objective) {
    if (!part.contains("corrupt")) continue;
    registry<Corruption>().add<Replayed>();
    Codec<Spec<Corruption>>::read(part["corrupt"], "corrupt", Replayed::kind, {});
    Replayed::noise = stored["noise"];
    Replayed::step = 0;
    part["corrupt"] = "replayed";
  }
  return make_objective(objective);
}

void expect_equal(const at::Tensor& found, const at::Tensor& expected, const std::string& what) {
  ASSERT_EQ(found.sizes(), expected.sizes()) << what;
  EXPECT_LE((found.detach().to(at::kDouble) - expected).abs().max().item<double>(), rounding) << what;
}

struct Case {
  std::string name;
  ModelSpec model;
  static constexpr auto fields() {
    return std::tuple{field("case", &Case::name, "in the file"), field("model", &Case::model, "description")};
  }
};

std::vector<Case> cases() {
  std::vector<Case> result;
  for (const Json& item : parse_json(parity().metadata.at("models"), "models")) {
    result.push_back(from_json<Case>(item));
  }
  return result;
}

class AutoencoderParity : public ::testing::TestWithParam<Case> {
 protected:
  AutoencoderParity() : stored_(GetParam().name), model_(build(GetParam().model)) {
    model_->to(at::kDouble);
    load_strict(*model_, stored_.all("weights"), GetParam().name);
    Fields fields;
    fields.set("input", stored_["x"]);
    if (stored_.has("weight")) fields.set("weight", stored_["weight"]);
    batch_ = {{"train", fields}};
    const Json objectives = parse_json(parity().metadata.at("objectives"), "objectives");
    objective_ = replaying(objectives.at(GetParam().name), stored_);
    objective_->bind(*model_, batch_);
  }

  void expect_first_step(const Terms& terms) {
    expect_equal(terms.total(), stored_["loss"], "loss");
    for (const auto& [name, value] : terms.minimised()) expect_equal(value, stored_["term." + name], name);
    for (const auto& item : model_->named_parameters()) {
      expect_equal(item.value().grad(), stored_["grad." + item.key()], "gradient of " + item.key());
    }
  }

  double score(const std::string& metric) {
    const auto scorer = make<Metric>(metric, Json::object());
    Pass pass(*model_, batch_);
    scorer->update(pass);
    return scorer->result();
  }

  Stored stored_;
  std::shared_ptr<Model> model_;
  Batch batch_;
  std::shared_ptr<Objective> objective_;
};

TEST_P(AutoencoderParity, TenStepsEqualPyTorch) {
  const auto optimizer = make<Optimizer>("sgd", {{"lr", 0.05}, {"momentum", 0.9}});
  ParameterSet set;
  for (const auto& item : model_->named_parameters()) {
    set.names.push_back(item.key());
    set.parameters.push_back(item.value());
  }
  for (int step = 0; step < 10; ++step) {
    model_->zero_grad();
    Pass pass(*model_, batch_);
    const Terms terms = objective_->backward(0, pass);
    if (step == 0) expect_first_step(terms);
    const at::NoGradGuard no_grad;
    optimizer->set_parameters({set});
    optimizer->step(1);
  }
  for (const auto& [name, tensor] : state(*model_))
    expect_equal(tensor, stored_["after." + name], name + " afterwards");
}

TEST_P(AutoencoderParity, EvaluationEqualsPyTorch) {
  load_strict(*model_, stored_.all("after"), GetParam().name);
  model_->eval();
  batch_.begin()->second.erase("weight");
  const Fields& fields = batch_.begin()->second;
  const at::Tensor code = require<Encoder>(*model_).encode(fields);
  expect_equal(code, stored_["eval.code"], "code");
  expect_equal(require<Decoder>(*model_).decode(code)->mean(), stored_["eval.mean"], "mean");
  EXPECT_NEAR(score("reconstruction_mse"), stored_["eval.mse"].item<double>(), rounding);
  if (stored_.has("eval.bce")) {
    EXPECT_NEAR(score("reconstruction_bce"), stored_["eval.bce"].item<double>(), rounding);
  }
}

INSTANTIATE_TEST_SUITE_P(Reference, AutoencoderParity, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

Fields pictures(std::int64_t count = 3, std::vector<std::int64_t> shape = {1, 28, 28}) {
  shape.insert(shape.begin(), count);
  Fields fields;
  fields.set("input", at::rand(shape));
  return fields;
}

TEST(Autoencoder, OptionsAreDescribed) {
  expect_fields_cover<Autoencoder::Options>();
  expect_fields_cover<ConvAutoencoder::Options>();
  expect_fields_cover<models::Code>();
}

TEST(Autoencoder, TheClassicHasItsParameters) {
  const auto classic = make<Autoencoder>({.widths = {64}, .latent = 32, .code_activation = "sigmoid"});
  EXPECT_EQ(parameter_count(*classic), 784 * 64 + 64 + 64 * 32 + 32 + 32 * 64 + 64 + 64 * 784 + 784);
  const at::Tensor code = classic->encode(pictures());
  EXPECT_GT(code.min().item<double>(), 0);
  EXPECT_LT(code.max().item<double>(), 1);
  std::vector<std::string> groups;
  for (const LayerGroup& group : classic->groups()) groups.push_back(group.name);
  EXPECT_EQ(groups, (std::vector<std::string>{"encoder.0", "encoder.1", "decoder.0", "decoder.1"}));
}

TEST(Autoencoder, KSparseCodesKeepTheLargestAndMoreInEvaluation) {
  seed(1);
  const auto model = make<Autoencoder>({.widths = {}, .latent = 50, .top_k = 4, .top_k_factor = 2.5});
  const auto dense = make<Autoencoder>({.widths = {}, .latent = 50});
  load_strict(*dense, state(*model), "the same weights");
  const Fields fields = pictures();
  const at::Tensor all = dense->encode(fields), few = model->encode(fields);
  EXPECT_TRUE(at::equal(few.ne(0).sum(1), at::full({3}, 4)));
  EXPECT_TRUE(at::equal(few, all.mul(all.ge(std::get<0>(all.topk(4, 1)).select(1, 3).unsqueeze(1)))));
  model->eval();
  const at::Tensor more = model->encode(fields);
  EXPECT_TRUE(at::equal(more.ne(0).sum(1), at::full({3}, 10)));
  EXPECT_TRUE(at::equal(more.mul(few.ne(0)), few));
}

// All that is learnt of the encoder, its code too, is the classifier's: same features, trained head.
// A code that is not bounded is refused by what it is, not by what it looks like: at these weights all codes are 0.
TEST(Autoencoder, SparsityWantsBoundedCodes) {
  const auto objective = make<Objective>("sparsity_kl", Json::object());
  const auto bind = [&](const ModelSpec& spec) {
    const auto model = build(spec);
    const at::NoGradGuard no_grad;
    for (at::Tensor parameter : model->parameters()) parameter.zero_();
    Fields fields;
    fields.set("input", at::rand({2, 1, 12, 12}));
    objective->bind(*model, {{"train", fields}});
  };
  for (const std::string name : {"autoencoder", "conv_autoencoder"}) {
    Json options = {{"input", {1, 12, 12}}, {"code_activation", "sigmoid"}};
    EXPECT_NO_THROW(bind({name, options}));
    options["top_k"] = 3;  // what is not kept is 0
    EXPECT_NO_THROW(bind({name, options}));
    options["code_activation"] = "relu";
    expect_error<ConfigError>(
        [&] {
          bind({name, options});
        },
        {"objective sparsity_kl: expected codes in [0, 1], whatever the weights, found codes from "
         "0 on of \"" +
             name + "\"",
         "code_activation"});
    options.erase("code_activation");
    expect_error<ConfigError>([&] { bind({name, options}); }, {"found codes without bounds"});
  }
  const Json code = {{"size", 4}, {"activation", "sigmoid"}};
  EXPECT_NO_THROW(bind({"mlp", {{"input", {1, 12, 12}}, {"code", code}}}));
  expect_error<ConfigError>([&] { bind({"mlp", {{"input", {1, 12, 12}}}}); }, {"codes without bounds of \"mlp\""});
}

TEST(Autoencoder, ItsClassifierSeesTheCode) {
  for (const std::string name : {"autoencoder", "conv_autoencoder"}) {
    const auto model =
        build({name, {{"latent", 20}, {"code_activation", "sigmoid"}, {"top_k", 5}, {"top_k_factor", 2}}});
    const auto classifier = build(require<Encoder>(*model).classifier(10));
    EXPECT_EQ(require<Classifier>(*classifier).feature_size(), 20);
    load(*classifier, state(*model));
    for (const bool training : {true, false}) {
      model->train(training);
      classifier->train(training);
      const Fields fields = pictures();
      EXPECT_TRUE(at::equal(require<Encoder>(*model).encode(fields), require<Encoder>(*classifier).encode(fields)));
    }
  }
}

TEST(Autoencoder, ConvolutionsGiveBackAnySize) {
  for (const std::int64_t side : {28, 17}) {
    const auto model = make<ConvAutoencoder>({.input = {2, side, side + 3}, .channels = {3, 4}, .latent = 5});
    const Fields fields = pictures(2, {2, side, side + 3});
    EXPECT_EQ(model->decode(model->encode(fields))->mean().sizes(), fields.input().sizes());
  }
}

TEST(Autoencoder, RefusesWhatMeansNothing) {
  auto refuse = [](const std::string& name, const Json& options, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { build({name, options}); }, parts);
  };
  refuse("autoencoder", {{"latent", 8}, {"top_k", 9}}, {"top_k: expected at most 8, the size of the code, found 9"});
  refuse("conv_autoencoder", {{"top_k_factor", 2}}, {"top_k_factor: expected 1 where top_k is 0, found 2"});
  refuse("autoencoder", {{"latent", 0}}, {"model.latent", "between 1 and 65536", "found 0"});
  refuse("autoencoder", {{"code_activation", "sigmod"}}, {"model.code_activation", "did you mean \"sigmoid\"?"});
  refuse("autoencoder", {{"output", "softmax"}}, {"model.output", "\"sigmoid\"", "\"identity\"", "\"softmax\""});
  refuse("autoencoder", {{"widths", Json::array()}, {"batch_norm", true}},
         {"batch_norm: expected false where widths is"});
  refuse("mlp", {{"code", {{"size", 4}, {"top_k", 5}}}}, {"top_k: expected at most 4"});
  expect_error<DataError>(
      [] {
        make<Autoencoder>()->decode(at::zeros({2, 3}));
      },
      {"model \"autoencoder\": expected latents of shape (N, 32), found (2, 3)"});
}

}  // namespace
}  // namespace vaetl::testing::autoencoder_test
