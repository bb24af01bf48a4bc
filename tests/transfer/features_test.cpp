// Features of any layer group: what they are, pooled how, in which order, and that they are computed once.
#include "vaetl/train/features.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "transfer/fixture.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/taps.hpp"

namespace vaetl::testing::features_test {
namespace {

Dataset random_pictures(std::int64_t count = 7) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(4);
  Fields fields;
  fields.set("input", at::randint(0, 256, {count, 1, 8, 8}, generator, at::TensorOptions(at::kByte)));
  fields.set("target", at::arange(count, at::kLong).remainder(2));
  return Dataset::from_tensors(fields, {.name = "pictures"});
}

struct Outputs {
  at::Tensor first, second, features;
};

// What the layers make of the pictures, seen directly.
Outputs outputs_of(Model& model, const Dataset& data) {
  Fields fields;
  fields.set("input", data.column("input").to(at::kFloat) / 255);
  const at::NoGradGuard no_grad;
  model.eval();
  const nn::Taps taps(model, {"encoder.*"});
  const at::Tensor features = require<Encoder>(model).encode(fields);
  return {taps["encoder.0"], taps["encoder.1"], features};
}

TEST(Features, OfGroupsStandSideBySide) {
  const auto model = small_cnn(2);
  const Dataset data = random_pictures();
  const Outputs expected = outputs_of(*model, data);
  model->train();
  const auto of = [&](FeatureOptions options) {
    options.batch_size = 3;  // the last batch is smaller
    return extract(*model, data, options).column("features");
  };
  EXPECT_TRUE(at::allclose(of({}), expected.features, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(of({.groups = {"encoder.1"}}), expected.second.mean({2, 3}), 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(of({.groups = {"encoder.1", "encoder.0"}}),
                           at::cat({expected.first.mean({2, 3}), expected.second.mean({2, 3})}, 1), 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(of({.groups = {"encoder.0"}, .pool = "flatten"}), expected.first.flatten(1), 1e-5, 1e-6));
  EXPECT_TRUE(model->is_training()) << "the mode is restored";
  EXPECT_TRUE(at::equal(extract(*model, data).labels(), data.labels())) << "the targets stay";
}

TEST(Features, OfSequencesEndWhereTheyEnd) {
  const auto model = make_model("lstm", {{"input", {5, 2}}, {"hidden", 3}, {"classes", 2}});
  Fields fields;
  fields.set("input", at::rand({4, 5, 2}));
  const at::Tensor length = at::tensor({5, 2, 1, 4}, at::kLong);
  fields.set("length", length);
  fields.set("target", at::zeros({4}, at::kLong));
  const Dataset data = Dataset::from_tensors(fields);
  const at::Tensor mean = extract(*model, data, {.groups = {"encoder.rnn"}}).column("features");
  const at::Tensor last = extract(*model, data, {.groups = {"encoder.rnn"}, .pool = "last"}).column("features");
  const nn::Taps taps(*model, {"encoder.rnn"});
  const at::NoGradGuard no_grad;
  model->eval();
  const at::Tensor features = require<Encoder>(*model).encode(fields), steps = taps["encoder.rnn"];
  EXPECT_TRUE(at::allclose(last, features, 1e-5, 1e-6));
  for (std::int64_t i = 0; i < 4; ++i) {
    const std::int64_t end = length[i].item<std::int64_t>();
    EXPECT_TRUE(at::allclose(mean[i], steps[i].narrow(0, 0, end).mean(0), 1e-5, 1e-6)) << i;
  }
}

TEST(Features, OfTokensLeaveThePaddingOut) {
  const auto model = make_model("lstm", {{"input", {-1}}, {"vocabulary", 9}, {"hidden", 3}, {"classes", 2}});
  Fields fields;
  fields.set("input", at::tensor({3, 4, 0, 0, 5, 6, 7, 8}, at::kInt).view({2, 4}));
  const Dataset data = Dataset::from_tensors(fields);
  const FeatureOptions options{.groups = {"encoder.embedding"}};
  const at::Tensor found = extract(*model, data, options).column("features");
  const at::Tensor rows = state(*model).at("encoder.embedding.weight").detach();
  EXPECT_TRUE(at::allclose(found[0], rows.index_select(0, at::tensor({3, 4}, at::kLong)).mean(0)));
}

TEST(Features, SayWhatCannotBe) {
  const auto vae = small_vae();
  expect_error<ConfigError>([&] { extract(*vae, random_pictures(), {.groups = {"encoder.7"}}); },
                            {"features.groups: expected a layer group of \"conv_vae\"", "\"encoder.7\""});
  expect_error<ConfigError>([&] { extract(*vae, random_pictures(), {.groups = {"decoder.0"}}); },
                            {"features.groups: expected a layer group that the pass runs", "\"decoder.0\""});
  const auto gan = make_model("gan", {{"input", {1, 8, 8}}, {"widths", {8}}});
  expect_error<ConfigError>([&] { extract(*gan, random_pictures()); }, {"features", "a model that offers Encoder"});
  Fields wrong;
  wrong.set("input", at::zeros({2, 3, 8, 8}, at::kByte));
  expect_error<DataError>([&] { extract(*vae, Dataset::from_tensors(wrong)); }, {"(N, 1, 8, 8)", "(2, 3, 8, 8)"});
}

TEST(FeatureCache, KnowsWhatFeaturesDependOn) {
  const TemporaryFolder folder;
  const auto model = small_cnn(2);
  const Dataset data = random_pictures();
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator());
  };
  FeatureCache cache(folder.path());
  const at::Tensor first = cache.extract(*model, data).column("features");
  EXPECT_TRUE(at::equal(first, extract(*model, data).column("features")));
  cache.extract(*model, data, {.batch_size = 2});
  EXPECT_EQ(files(), 1) << "how many at once changes nothing";
  cache.extract(*model, data, {.groups = {"encoder.0"}});
  cache.extract(*model, random_pictures(5));
  EXPECT_EQ(files(), 3);
  // Another process finds what is there and does not compute it again.
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (read_safetensors(entry.path()).tensors.at("features").sizes() == first.sizes()) {
      write_safetensors(entry.path(), {{"features", first + 1}});
    }
  }
  EXPECT_TRUE(at::equal(FeatureCache(folder.path()).extract(*model, data).column("features"), first + 1));
  EXPECT_TRUE(at::equal(cache.extract(*model, data).column("features"), first + 1)) << "the folder is its memory";
  {
    const at::NoGradGuard no_grad;
    state(*model).at("encoder.0.conv.bias").add_(1);
  }
  EXPECT_FALSE(at::equal(cache.extract(*model, data).column("features"), first)) << "other weights, other features";
  EXPECT_EQ(files(), 4);
}

TEST(FeatureCache, WithoutAFolderIsInMemory) {
  const auto model = small_cnn(2);
  FeatureCache cache;
  const at::Tensor first = cache.extract(*model, random_pictures()).column("features");
  EXPECT_EQ(cache.extract(*model, random_pictures()).column("features").const_data_ptr(), first.const_data_ptr());
}

}  // namespace
}  // namespace vaetl::testing::features_test
