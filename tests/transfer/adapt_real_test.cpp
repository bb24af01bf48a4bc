// Weights by others, adapted.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "transfer/fixture.hpp"
#include "vaetl/core/batch.hpp"
#include "vaetl/io/pytorch.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/weight_names.hpp"

namespace vaetl::testing::adapt_real_test {
namespace {

namespace fs = std::filesystem;

fs::path weights_folder() {
  const char* root = std::getenv("VAETL_TEST_DATA");
  return fs::path(root != nullptr ? root : "../shared/data") / "weights";
}

class AdaptReal : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(weights_folder())) {
      GTEST_SKIP() << "no weights under VAETL_TEST_DATA (default ../shared/data)";
    }
  }
};

PytorchFile resnet20() {
  return read_pytorch(weights_folder() / "resnet-cifar10/resnet20-12fca82f.th", {.strip_prefix = "module."});
}

const ModelSpec resnet_description{"cifar_resnet", {{"depth", 20}}};

at::Tensor features(Model& model, const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  model.eval();
  Fields fields;
  fields.set("input", x);
  return dynamic_cast<Encoder&>(model).encode(fields);
}

bool only_counters(const std::vector<LoadReport::Row>& rows, std::size_t besides) {
  const auto others =
      std::count_if(rows.begin(), rows.end(), [](const auto& row) { return !is_batch_counter(row.name); });
  return others == static_cast<std::ptrdiff_t>(besides);
}

TEST_F(AdaptReal, AColourResNetSeesGreyPictures) {
  const PytorchFile file = resnet20();
  const LoadRule channels{.from = "conv1.weight", .to = "conv1.weight", .on_mismatch = "channels"};
  const auto adapted = adapt(resnet_description, file.tensors, {},
                             {.model = {{"input", {1, 32, 32}}}, .heads = {{.classes = 7}}, .load = {channels}});
  EXPECT_EQ(adapted.report.matched, 1);
  EXPECT_EQ(names(adapted.report.weights.reshaped), std::vector<std::string>{"conv1.weight"});
  EXPECT_EQ(names(adapted.report.weights.unused), (std::vector<std::string>{"linear.bias", "linear.weight"}));
  EXPECT_TRUE(only_counters(adapted.report.weights.initialised, 2)) << adapted.report.text;
  const auto colour = adapt(resnet_description, file.tensors, {}, {});
  seed(3);
  const at::Tensor grey = at::randn({2, 1, 32, 32});
  const at::Tensor expected = features(*colour.model, grey.expand({2, 3, 32, 32}).contiguous());
  // Of 20 layers each rounds sums of up to 576 products; the features are of size 1.
  EXPECT_TRUE(at::allclose(features(*adapted.model, grey), expected, 1e-4, 1e-4));
  EXPECT_GT(expected.abs().max().item<double>(), 0.1);
}

TEST_F(AdaptReal, TheFilesOrderIsTheModels) {
  const PytorchFile file = resnet20();
  Weights unnamed;
  std::vector<std::string> order;
  for (const auto& name : file.order) {
    order.push_back(fmt::format("tensor.{}", order.size()));
    unnamed[order.back()] = file.tensors.at(name);
  }
  const auto by_name = adapt(resnet_description, file.tensors, {}, {});
  const auto by_order = adapt(resnet_description, unnamed, {}, {.match = "order"}, order);
  for (const auto& [name, tensor] : state(*by_name.model)) {
    EXPECT_TRUE(at::equal(tensor, state(*by_order.model).at(name))) << name;
  }
}

TEST_F(AdaptReal, AMobileNetGetsANewHead) {
  const PytorchFile file = read_pytorch(weights_folder() / "mobilenetv1x025-imagenet/mobilenetV1X0.25_pretrain.tar",
                                        {.key = "state_dict", .strip_prefix = "module."});
  const ModelSpec description{"mobilenet_v1", {{"input", {3, 224, 224}}, {"width", 0.25}, {"classes", 1000}}};
  const auto adapted = adapt(description, file.tensors, {}, {.heads = {{.classes = 2}}, .strict = true});
  EXPECT_EQ(adapted.report.matched, 1);
  EXPECT_EQ(adapted.report.weights.loaded.size(), 162u);
  EXPECT_EQ(names(adapted.report.weights.initialised), (std::vector<std::string>{"fc.bias", "fc.weight"}));
}

}  // namespace
}  // namespace vaetl::testing::adapt_real_test
