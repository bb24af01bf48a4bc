// Style transfer against torch's autograd and Adam over a MobileNet in plain torch.nn: tests/parity/enhance.py.
#include "vaetl/recipe/style_transfer.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/filled.hpp"
#include "support/expect_error.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/models/mlp.hpp"
#include "vaetl/models/mobilenet_v1.hpp"

namespace vaetl::testing::style_transfer_test {
namespace {

const at::Tensor& style_reference(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/enhance.safetensors");
  return file.tensors.at("style." + name);
}

// Of another size than the pictures: it is described again.
std::shared_ptr<Model> mobilenet() {
  auto model = make<models::MobileNetV1>({.input = {3, 64, 64}, .width = 0.25, .classes = 3});
  fill(*model);
  model->eval();
  return model;
}

recipe::Styled styled(const recipe::StyleOptions& options,
                      const std::function<void(std::int64_t, const recipe::StyleLosses&)>& progress = {}) {
  return recipe::transfer_style(*mobilenet(), style_reference("content"), style_reference("style"), options, progress);
}

// float32 against float64 through a dozen layers, and four steps of Adam, whose first one is a sign: where a gradient
// is next to 0 a pixel goes the other way.
TEST(StyleTransfer, EqualsPyTorch) {
  std::int64_t steps = 0;
  const auto found = styled({.steps = 4, .size = 48}, [&](std::int64_t step, const recipe::StyleLosses& losses) {
    const at::Tensor wanted = style_reference("losses." + std::to_string(step));
    const double share = step == 0 ? 1e-4 : 2e-3;
    const std::vector<double> values = {losses.content, losses.style, losses.smooth, losses.total};
    for (std::int64_t i = 0; i < 4; ++i) {
      const double value = wanted[i].item<double>();
      EXPECT_NEAR(values[static_cast<std::size_t>(i)], value, share * value) << "step " << step << ", loss " << i;
    }
    ++steps;
  });
  EXPECT_EQ(steps, 5);
  const at::Tensor off = (found.picture.to(at::kLong) - style_reference("picture").to(at::kLong)).abs();
  EXPECT_LT(off.gt(1).to(at::kDouble).mean().item<double>(), 0.01);
  EXPECT_EQ(found.content_layer, "stage1.5");
  EXPECT_EQ(found.style_layers, (std::vector<std::string>{"stage1.1", "stage1.3", "stage1.5", "stage2.5"}));
}

TEST(StyleTransfer, FallsAndRepeats) {
  const auto first = styled({.steps = 60, .size = 48}), second = styled({.steps = 60, .size = 48});
  EXPECT_LT(first.after.total, 0.5 * first.before.total);
  EXPECT_LT(first.after.style, 0.4 * first.before.style);
  EXPECT_TRUE(at::equal(first.picture, second.picture));
  EXPECT_EQ(first.picture.sizes(), at::IntArrayRef({3, 32, 48}));
}

TEST(StyleTransfer, OfALineIsRefused) {
  const at::Tensor line = at::zeros({3, 4, 200}, at::kByte);
  expect_error<DataError>([&] { recipe::transfer_style(*mobilenet(), line, style_reference("style"), {.size = 48}); },
                          {"content: expected a picture whose shorter side has 16 pixels at least, found 1 when it is "
                           "scaled"});
  const at::Tensor black = at::zeros({3, 48, 48}, at::kByte);
  const auto found = recipe::transfer_style(*mobilenet(), black, black, {.steps = 2, .size = 48});
  EXPECT_TRUE(std::isfinite(found.after.total));
}

TEST(StyleTransfer, OfTheLayersThatAreNamed) {
  const auto found =
      styled({.steps = 1, .size = 48, .content_layer = "stage2", .style_layers = {"stage1.3", "stem", "stage2"}});
  EXPECT_EQ(found.content_layer, "stage2");
  EXPECT_EQ(found.style_layers, (std::vector<std::string>{"stem", "stage1.3", "stage2"}));
  expect_error<ConfigError>([] { styled({.steps = 1, .style_layers = {"stage7"}}); },
                            {"style transfer: expected a layer group of", "\"stage7\""});
  expect_error<ConfigError>([] { styled({.steps = 1, .style_layers = {"head"}}); },
                            {"layers of them, that the encoder runs and that put out maps, found head"});
  expect_error<ConfigError>([] { styled({.steps = 1, .content_layer = "stage*"}); },
                            {"content layer: expected one, found stage1, stage2, stage3"});
}

TEST(StyleTransfer, SaysWhatItCannot) {
  const at::Tensor grey = at::zeros({1, 20, 20}, at::kByte);
  expect_error<DataError>([&] { recipe::transfer_style(*mobilenet(), grey, grey); },
                          {"content: expected a picture uint8 (3, H, W), found (1, 20, 20)"});
  const auto dense = make<models::Mlp>({.input = {1, 28, 28}});
  expect_error<DataError>([&] { recipe::transfer_style(*dense, grey, grey); },
                          {"style transfer: expected pictures of 28×28 pixels, the only ones that the model takes"});
}

}  // namespace
}  // namespace vaetl::testing::style_transfer_test
