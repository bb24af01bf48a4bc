// Whole models against the same ones in plain torch.nn: the parameters' names, outputs, losses, gradients, and
// evaluation after one pass in training.
#include <ATen/ops/cross_entropy_loss.h>

#include <filesystem>
#include <set>

#include "models/parity.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::testing::parity_models_test {
namespace {

struct Case {
  std::string name;
  ModelSpec model;
  static constexpr auto fields() {
    return std::tuple{field("case", &Case::name, "in the file"), field("model", &Case::model, "description")};
  }
};

std::vector<Case> cases() {
  const Json json = parse_json(reference_file().metadata.at("models"), "nn_layers.safetensors");
  std::vector<Case> result;
  for (const Json& item : json) result.push_back(from_json<Case>(item));
  return result;
}

Fields input_of(const Reference& reference) {
  Fields fields;
  fields.set("input", reference["x"]);
  return fields;
}

void check_classifier(Model& model, const Reference& reference) {
  auto& classifier = require<Classifier>(model);
  auto logits = [&] { return classifier.classify(classifier.encode(input_of(reference))); };
  const at::Tensor trained = logits();
  expect_close(trained, reference["logits"], "logits");
  const at::Tensor loss = at::cross_entropy_loss(trained, reference["target"]);
  expect_close(loss, reference["loss"], "loss");
  expect_gradients(model, loss, reference);
  model.eval();
  expect_close(logits(), reference["eval.logits"], "logits in evaluation");
}

void check_vae(Model& model, const Reference& reference) {
  auto& vae = require<Variational>(model);
  const Gaussian q = vae.posterior(input_of(reference));
  expect_close(q.mean, reference["mean"], "mean");
  expect_close(q.log_var, reference["log_var"], "log_var");
  const at::Tensor kl = q.kl_to_standard();
  expect_close(kl, reference["kl"], "kl");
  const at::Tensor z = q.mean + (0.5 * q.log_var).exp() * reference["noise"];
  const at::Tensor log_prob = vae.decode(z)->log_prob(reference["x"]);
  expect_close(log_prob, reference["log_prob"], "log_prob");
  const at::Tensor loss = (kl - log_prob).mean();
  expect_close(loss, reference["loss"], "loss");
  expect_gradients(model, loss, reference);
  model.eval();
  expect_close(require<Generator>(model).generate(reference["noise"]), reference["eval.generated"], "generated");
  expect_close(vae.encode(input_of(reference)), reference["eval.mean"], "the posterior's mean");
}

class ParityModels : public ::testing::TestWithParam<Case> {};

TEST_P(ParityModels, EqualPyTorch) {
  const Reference reference(GetParam().name);
  const auto model = build(GetParam().model);
  load_strict(*model, reference.weights(), GetParam().name);
  if (offers(*model, "Classifier")) {
    check_classifier(*model, reference);
  } else {
    check_vae(*model, reference);
  }
}

// Every reference says in its metadata which models it has, as this test's does.
TEST(ParityFile, CoversEveryModel) {
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator("tests/parity")) {
    if (file.path().extension() != ".safetensors") continue;
    const auto metadata = read_safetensors(file.path()).metadata;
    if (!metadata.contains("models")) continue;
    for (const Json& item : parse_json(metadata.at("models"), "models")) {
      names.insert(item.at("model").at("name").get<std::string>());
    }
  }
  for (const auto& name : registry<Model>().names()) EXPECT_TRUE(names.contains(name)) << name << " has no reference";
}

INSTANTIATE_TEST_SUITE_P(Reference, ParityModels, ::testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace vaetl::testing::parity_models_test
