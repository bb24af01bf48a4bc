// Entries whose inputs are token ids, or have any length, or a length each.
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include "vaetl/models/lstm.hpp"
#include "zoo/fixture.hpp"

namespace vaetl::testing::zoo_sequence_test {
namespace {

using ZooSequence = ZooTest;
using models::Lstm;

std::shared_ptr<Model> ready(const Lstm::Options& options) {
  seed(1);
  auto model = make<Lstm>(options);
  model->set_preprocess(Json::array());
  model->eval();
  return model;
}

Pretrained saved(Model& model) {
  zoo::save("sequences", model, finished_run());
  return zoo::load("sequences");
}

TEST_F(ZooSequence, OfAnyLength) {
  const auto model = ready({.input = {-1, 3}, .hidden = 4, .bidirectional = true, .classes = 3});
  const Pretrained loaded = saved(*model);
  EXPECT_EQ(loaded.card.test_vector->shape, (std::vector<std::int64_t>{1, 16, 3}));
  const at::Tensor x = at::randn({2, 5, 3});
  EXPECT_EQ(loaded.predict(x).sizes(), (at::IntArrayRef{2, 3}));
  EXPECT_EQ(loaded.predict(x[0]).sizes(), (at::IntArrayRef{1, 3}));
  EXPECT_TRUE(at::equal(loaded.predict(x), Pretrained{model}.predict(x)));
  expect_error<DataError>(
      [&] {
        loaded.predict(at::randn({2, 5, 4}));
      },
      {"predict: expected input of shape (N, any, 3) or (any, 3), found (2, 5, 4)"});
  EXPECT_EQ(loaded.predict(x.slice(0, 0, 0)).sizes(), (at::IntArrayRef{0, 3}));
}

TEST_F(ZooSequence, WithALengthEach) {
  const auto model = ready({.input = {5, 3}, .hidden = 4, .bidirectional = true, .classes = 3});
  at::Tensor x = at::randn({2, 5, 3});
  Fields padded;
  padded.set("input", x);
  padded.set("length", at::tensor(at::ArrayRef<std::int64_t>{5, 2}));
  const at::Tensor expected = Pretrained{model}.predict_batch(padded);
  EXPECT_FALSE(at::equal(Pretrained{model}.predict(x), expected));
  x[1].slice(0, 2).fill_(100);
  EXPECT_TRUE(at::equal(Pretrained{model}.predict_batch(padded), expected));
}

TEST_F(ZooSequence, OfTokenIds) {
  const auto model = ready({.input = {6}, .vocabulary = 9, .embedding = 3, .hidden = 4, .classes = 3});
  const Pretrained loaded = saved(*model);
  for (const double id : loaded.card.test_vector->input) EXPECT_TRUE(id >= 1 && id <= 8 && id == std::floor(id)) << id;
  const at::Tensor ids = at::randint(1, 9, {2, 6}, at::kLong);
  EXPECT_TRUE(at::equal(loaded.predict(ids), loaded.predict(ids.to(at::kInt))));
  EXPECT_TRUE(at::equal(loaded.predict(ids), loaded.predict(ids.to(at::kByte))));
  expect_error<DataError>([&] { loaded.predict(ids.to(at::kFloat)); },
                          {"predict: expected token ids of an integer type, found float32"});
  expect_error<DataError>([&] { loaded.predict(ids + 9); }, {"model \"lstm\": expected token ids from 0 to 8"});
  expect_error<DataError>([&] { loaded.predict(ids + (std::int64_t{1} << 33)); }, {"expected token ids from 0 to 8"});
}

TEST_F(ZooSequence, OfAnOutputForEveryStep) {
  const auto model =
      ready({.input = {6}, .vocabulary = 9, .embedding = 3, .hidden = 4, .per_step = true, .classes = 9});
  const Pretrained loaded = saved(*model);
  EXPECT_EQ(loaded.card.test_vector->of, "steps");
  EXPECT_EQ(zoo::to_text(loaded.card.inputs.at("input")), "int64 (N, T)");
  EXPECT_EQ(loaded.predict(at::randint(1, 9, {2, 11}, at::kLong)).sizes(), (at::IntArrayRef{2, 11, 9}));
  EXPECT_TRUE(zoo::verify(zoo::resolve("sequences")).passed());
}

}  // namespace
}  // namespace vaetl::testing::zoo_sequence_test
