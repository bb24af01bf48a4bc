// Weights that others made: as a transfer's source, and described for scoring.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "recipe/toy.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "support/torch_stream.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/transforms/resize.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/picture.hpp"
#include "vaetl/recipe/prepare.hpp"
#include "vaetl/recipe/source.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::recipe::foreign_weights_test {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
namespace hand = testing::hand;

const Json toy_model{{"name", "cnn"}, {"input", {1, 8, 8}}, {"channels", {4, 8}}, {"dense", {16}}, {"classes", 4}};

std::shared_ptr<Model> toy_source(bool batch_norm = true) {
  ModelSpec spec;
  Json json = toy_model;
  json["batch_norm"] = batch_norm;
  Codec<ModelSpec>::read(json, "model", spec, {});
  seed(3);
  return build(spec);
}

class Foreign : public ::testing::Test {
 protected:
  fs::path file(const std::string& bytes, const std::string& name = "w.pth") const {
    const fs::path path = fs::path(folder_.path()) / name;
    write_atomically(path, bytes);
    return path;
  }

 private:
  testing::TemporaryFolder folder_;
};

Recipe transfer_recipe(const std::string& from, const Json& model) {
  Json json = testing::toy_recipe();
  json.erase("model");
  if (!model.is_null()) json["model"] = model;
  json["transfer"] = {{"from", from}};
  return parse(json);
}

RunSettings toy_settings() { return {.device = "cpu", .data = testing::toy_cache()}; }

TEST_F(Foreign, APytorchFileIsATransfersSource) {
  const auto source = toy_source();
  const std::string path = file(hand::checkpoint(state(*source), "module.")).string();
  Json model = toy_model;
  model["batch_norm"] = true;
  const Prepared prepared = prepare(transfer_recipe(path + "?strip_prefix=module.", model), toy_settings());
  for (const auto& [name, tensor] : state(*source)) {
    EXPECT_TRUE(at::equal(tensor, state(*prepared.model).at(name))) << name;
  }
  ASSERT_TRUE(prepared.report);
  EXPECT_EQ(prepared.report->weights.initialised.size(), 3u) << "one counter a normalisation";
  EXPECT_NE(prepared.report->text.find("initialised to 0, as old files of PyTorch lack it"), std::string::npos);
  EXPECT_EQ(prepared.from_sha256.size(), 64u);
  EXPECT_EQ(source_file(path + "?strip_prefix=module."), fs::path(path));
}

TEST_F(Foreign, WhatIsMissingIsSaid) {
  const std::string path = file(hand::checkpoint(state(*toy_source()), "module.")).string();
  expect_error<ConfigError>([&] { prepare(transfer_recipe(path, {}), toy_settings()); },
                            {"transfer.from", "weights that carry a description", "section \"model\""});
  expect_error<FileError>([&] { prepare(transfer_recipe(path, toy_model), toy_settings()); },
                          {"a checkpoint of another model", "take it off by FILE?strip_prefix=module."});
  expect_error<ConfigError>([&] { prepare(transfer_recipe(path + "?prefix=module.", toy_model), toy_settings()); },
                            {"found the unknown key \"prefix\"", "\"strip_prefix\""});
  const std::string hostile = file(hand::beside_tensor(hand::global("os", "system")), "bad.pt").string();
  expect_error<FileError>([&] { prepare(transfer_recipe(hostile, toy_model), toy_settings()); },
                          {"bad.pt: expected tensors", "\"os.system\""});
}

TEST_F(Foreign, ADescriptionMakesAModel) {
  const auto source = toy_source(false);
  const std::string path = file(hand::checkpoint(state(*source))).string();
  const Pretrained plain = load_described(path, toy_model);
  EXPECT_TRUE(plain.model->preprocess().is_null());
  EXPECT_EQ(plain.card.weights.tensors, static_cast<std::int64_t>(state(*source).size()));
  const Json scale = Json::array({{{"name", "scale"}, {"from", {0, 255}}, {"to", {-1, 1}}}});
  const Pretrained scaled = load_described(path, {{"model", toy_model}, {"preprocess", scale}});
  EXPECT_EQ(scaled.model->preprocess(), scale);
  const at::Tensor raw = at::randint(256, {2, 1, 8, 8}, at::kByte);
  EXPECT_FALSE(at::allclose(plain.predict(raw), scaled.predict(raw)));
  const Splits toy = testing::toy_splits();
  EXPECT_TRUE(evaluate(*plain.model, toy.test, {"accuracy"}).contains("accuracy"));
  expect_error<ConfigError>(
      [&] {
        load_described(path, {{"model", toy_model}, {"preproces", scale}});
      },
      {"--model", "did you mean \"preprocess\"?"});
  expect_error<ConfigError>([&] { load_described(path, "cnm"); }, {"found \"cnm\"; did you mean \"cnn\""});
  Json other = toy_model;
  other["classes"] = 3;
  expect_error<FileError>([&] { load_described(path, other); },
                          {"w.pth", "the weights of this model and nothing else"});
}

fs::path shared_folder() {
  const char* root = std::getenv("VAETL_TEST_DATA");
  return root != nullptr ? root : "../shared/data";
}

constexpr const char* absent = "no weights under VAETL_TEST_DATA (default ../shared/data)";

Json imagenet_scaling() {
  return Json::array({{{"name", "scale"}},
                      {{"name", "standardise"}, {"mean", {0.485, 0.456, 0.406}}, {"std", {0.229, 0.224, 0.225}}}});
}

Pretrained cifar_resnet(int depth, const std::string& file) {
  return load_described((shared_folder() / "weights/resnet-cifar10" / file).string() + "?strip_prefix=module.",
                        {{"model", {{"name", "cifar_resnet"}, {"depth", depth}}}, {"preprocess", imagenet_scaling()}});
}

// 99.9 % of the first 1000 (docs/results.md), so at least 99 of the first 100.
TEST(ForeignReal, CifarResNets) {
  if (!fs::is_directory(shared_folder() / "weights")) GTEST_SKIP() << absent;
  const Dataset train =
      data::open("cifar:" + (shared_folder() / "cifar10/cifar10_train_first4000.bin.xz").string()).train;
  const Dataset first = train.select(at::arange(100, at::kLong));
  const std::map<int, std::string> files = {{20, "resnet20-12fca82f.th"},
                                            {32, "resnet32-d509ac18.th"},
                                            {44, "resnet44-014dd654.th"},
                                            {56, "resnet56-4bfd9763.th"}};
  for (const auto& [depth, file] : files) {
    const Pretrained loaded = cifar_resnet(depth, file);
    EXPECT_EQ(loaded.card.weights.tensors, 97 + 5 * (depth - 20)) << file;
    if (depth == 20) {
      EXPECT_GE(evaluate(*loaded.model, first, {"accuracy"}).at("accuracy"), 0.99);
    }
  }
}

// Class 258 of ImageNet, Samoyed, with probability 0.77.
TEST(ForeignReal, MobileNetSeesADog) {
  if (!fs::is_directory(shared_folder() / "weights")) GTEST_SKIP() << absent;
  const Pretrained loaded = load_described(
      (shared_folder() / "weights/mobilenetv1x025-imagenet/mobilenetV1X0.25_pretrain.tar").string() +
          "?strip_prefix=module.",
      {{"model", {{"name", "mobilenet_v1"}, {"input", {3, 224, 224}}, {"width", 0.25}, {"classes", 1000}}},
       {"preprocess", imagenet_scaling()}});
  const fs::path picture = shared_folder() / "weights/imagenet-labels/dog.jpg";
  const at::Tensor dog = decode_picture(read_file(picture), picture.string(), {.channels = 3}).unsqueeze(0);
  const at::Tensor small =
      transforms::resize_images(dog.contiguous(), 256, 326, "bilinear");  // the shorter side to 256
  const at::Tensor scores = loaded.predict(transforms::centre_crop_images(small, 224, 224)).softmax(1)[0];
  EXPECT_EQ(scores.argmax().item<std::int64_t>(), 258);
  EXPECT_NEAR(scores[258].item<double>(), 0.774, 0.01);
}

// 97.6 % of the test set (docs/results.md); of its first 1000, which are the harder ones, at least 96.
TEST(ForeignReal, LeNetReadsDigits) {
  if (!fs::is_directory(shared_folder() / "weights")) GTEST_SKIP() << absent;
  const Pretrained loaded =
      load_described((shared_folder() / "weights/lenet-mnist/lenet_mnist_model.wangxinya.pth").string(), "lenet");
  const Dataset test = data::open("idx:" + (shared_folder() / "mnist").string()).test;
  EXPECT_GE(evaluate(*loaded.model, test.select(at::arange(1000, at::kLong)), {"accuracy"}).at("accuracy"), 0.96);
}

}  // namespace
}  // namespace vaetl::recipe::foreign_weights_test
