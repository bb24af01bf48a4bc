// The skip autoencoder against torch.nn (tests/parity/enhance.py); what all models must do is in registered_test.
#include "vaetl/models/skip_autoencoder.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/filled.hpp"
#include "models/parity.hpp"
#include "support/expect_error.hpp"
#include "support/fields_cover.hpp"

namespace vaetl::testing::skip_autoencoder_test {
namespace {

using models::SkipAutoencoder;

const at::Tensor& enhance_reference(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/enhance.safetensors");
  return file.tensors.at("restorer." + name);
}

std::shared_ptr<SkipAutoencoder> odd_sized() {
  auto model = make<SkipAutoencoder>({.input = {2, 11, 9}, .channels = {3, 4, 5}, .activation = "elu"});
  fill(*model);
  return model;
}

at::Tensor restore(SkipAutoencoder& model, const at::Tensor& x) {
  Fields fields;
  fields.set("input", x);
  return model.restore(fields);
}

TEST(SkipAutoencoder, EqualsPyTorch) {
  const auto model = odd_sized();
  const at::Tensor x = enhance_reference("input"), y = restore(*model, x);
  expect_close(y, enhance_reference("output"), "output");
  (y - x.flip(0)).square().mean().backward();
  for (const auto& item : model->named_parameters()) {
    expect_close(item.value().grad(), enhance_reference("gradient." + item.key()), item.key());
  }
}

TEST(SkipAutoencoder, OptionsAreDescribedAndChecked) {
  expect_fields_cover<SkipAutoencoder::Options>();
  expect_error<ConfigError>(
      [] {
        make<SkipAutoencoder>({.input = {1, 3, 28}});
      },
      {"input: expected pictures that can be halved 2 times, found 3 × 28; give fewer channels"});
  expect_error<ConfigError>([] { make<SkipAutoencoder>({.channels = {}}); }, {"channels: expected at least one"});
  expect_error<ConfigError>([] { make<SkipAutoencoder>({.kernel = 4}); }, {"kernel: expected an odd size"});
  const auto flat = make<SkipAutoencoder>({.input = {1, 1, 2}, .channels = {4}});
  EXPECT_EQ(restore(*flat, at::rand({3, 1, 1, 2})).sizes(), at::IntArrayRef({3, 1, 1, 2}));
}

TEST(SkipAutoencoder, ItsWeightsServeAnySize) {
  const auto model = odd_sized();
  ModelSpec spec = model->spec();
  spec.options["input"] = {2, 16, 24};
  const auto larger = clone(*model, spec, state(*model));
  Fields fields;
  fields.set("input", at::rand({1, 2, 16, 24}));
  EXPECT_EQ(dynamic_cast<Restorer&>(*larger).restore(fields).sizes(), fields.input().sizes());
}

}  // namespace
}  // namespace vaetl::testing::skip_autoencoder_test
