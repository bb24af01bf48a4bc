#include <thread>

#include "zoo/fixture.hpp"

namespace vaetl::testing::predict_test {
namespace {

at::Tensor images(std::int64_t count) {
  seed(11);
  return at::randint(256, {count, 1, 8, 8}, at::kByte);
}

TEST(ZooPredict, OneOrManyBytesOrFloats) {
  const Pretrained model{small_classifier()};
  const at::Tensor raw = images(6), logits = model.predict(raw);
  EXPECT_EQ(logits.sizes(), (at::IntArrayRef{6, 3}));
  EXPECT_FALSE(logits.requires_grad());
  EXPECT_TRUE(at::equal(model.predict(raw.to(at::kFloat)), logits)) << "floats are raw values too";
  // One example or several: other kernels, the same sums of at most 72 products of order 1.
  EXPECT_TRUE(at::allclose(model.predict(raw[2]), logits.slice(0, 2, 3), 0, 1e-5));
  EXPECT_EQ(model.predict(raw.slice(0, 0, 0)).sizes(), (at::IntArrayRef{0, 3}));
}

TEST(ZooPredict, PartsMakeTheWhole) {
  const Pretrained model{small_classifier()};
  const at::Tensor raw = images(1203), logits = model.predict(raw);
  EXPECT_EQ(logits.size(0), 1203);
  EXPECT_TRUE(at::equal(logits.slice(0, 500, 1000), model.predict(raw.slice(0, 500, 1000))));
  EXPECT_TRUE(at::equal(logits.slice(0, 1000), model.predict(raw.slice(0, 1000))));
}

TEST(ZooPredict, PreprocessingBelongsToTheWeights) {
  const auto model = small_classifier();
  const at::Tensor raw = images(2), logits = Pretrained{model}.predict(raw);
  model->set_preprocess({});
  EXPECT_TRUE(at::equal(Pretrained{model}.predict(raw), logits)) << "bytes have a standard mapping";
  model->set_preprocess(Json::array());
  EXPECT_FALSE(at::allclose(Pretrained{model}.predict(raw), logits, 0, 1e-3)) << "none at all is another thing";
}

// Where the preprocessing resizes, what is raw has any size; bytes of the model's size stay as they are.
TEST(ZooPredict, PicturesOfAnySizeWhereTheyAreResized) {
  const auto model = small_classifier();
  const at::Tensor raw = images(2), logits = Pretrained{model}.predict(raw);
  const Json resize{{"name", "resize"}, {"size", {8, 8}}}, scale = scale_to_unit()[0];
  model->set_preprocess(Json::array({resize, scale}));
  const Pretrained resizing{model};
  EXPECT_TRUE(at::allclose(resizing.predict(raw), logits, 0, 1e-5));
  // Of one colour, whatever the size.
  const at::Tensor large = at::full({1, 1, 16, 12}, 51, at::kByte), small = at::full({1, 1, 8, 8}, 51, at::kByte);
  EXPECT_TRUE(at::allclose(resizing.predict(large), resizing.predict(small), 0, 1e-5));
  EXPECT_TRUE(at::allclose(resizing.predict(large[0]), resizing.predict(small), 0, 1e-5)) << "one example";
  expect_error<DataError>(
      [&] {
        resizing.predict(at::zeros({2, 3, 16, 12}, at::kByte));
      },
      {"predict: expected input of shape (N, 1, any, any) or (1, any, any), found (2, 3, 16, 12)"});
  expect_error<DataError>([&] { resizing.predict(at::zeros({1, 0, 12}, at::kByte)); }, {"resize: expected images"});
  model->set_preprocess(Json::array({resize, {{"name", "centre_crop"}, {"size", {8, 8}}}, scale}));
  EXPECT_EQ(resizing.predict(large).sizes(), (at::IntArrayRef{1, 3}));
  model->set_preprocess(Json::array({{{"name", "centre_crop"}, {"size", {8, 8}}}, scale}));
  expect_error<DataError>(
      [&] {
        resizing.predict(at::zeros({1, 7, 12}, at::kByte));
      },
      {"centre_crop: expected images of at least 8×8", "found 7×12"});
}

TEST(ZooPredict, FromFourThreadsAsFromOne) {
  const Pretrained model{small_classifier()};
  const at::Tensor raw = images(64), expected = model.predict(raw);
  std::vector<int> differing(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < differing.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 8; ++repeat) differing[i] += !at::equal(model.predict(raw), expected);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(differing, std::vector<int>(4, 0));
}

TEST(ZooPredict, SaysWhatItTakes) {
  const auto classifier = small_classifier();
  const Pretrained model{classifier};
  expect_error<DataError>(
      [&] {
        model.predict(at::zeros({8, 8}, at::kByte));
      },
      {"predict: expected input of shape (N, 1, 8, 8) or (1, 8, 8), found (8, 8)"});
  expect_error<DataError>([&] { model.predict(at::zeros({2, 1, 9, 8})); }, {"found (2, 1, 9, 8)"});
  expect_error<DataError>([&] { model.predict(at::zeros({})); }, {"found ()"});
  expect_error<DataError>([&] { model.predict(at::zeros({1, 8, 8}, at::kComplexFloat)); }, {"uint8 or float"});
  expect_error<DataError>([&] { model.predict({}); }, {"found none"});
  classifier->train();
  expect_error<ConfigError>([&] { model.predict(images(1)); }, {"one in training mode", "call model->eval()"});
}

}  // namespace
}  // namespace vaetl::testing::predict_test
