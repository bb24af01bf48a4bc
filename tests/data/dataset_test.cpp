#include "vaetl/data/dataset.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"

namespace vaetl::dataset_test {
namespace {

using testing::expect_error;
using testing::long_tensor;
using testing::numbered;
using testing::values_of;

Fields fields_of(std::initializer_list<std::pair<const char*, at::Tensor>> tensors) {
  Fields fields;
  for (const auto& [key, value] : tensors) fields.set(key, value);
  return fields;
}

std::vector<std::int64_t> numbers(const Dataset& data) {
  return values_of(data.column("input").select(1, 0).select(1, 0).select(1, 0));
}

TEST(Dataset, HoldsTheUsersMemory) {
  std::vector<std::uint8_t> pixels(2 * 3 * 3, 7);
  const at::Tensor wrapped = at::from_blob(pixels.data(), {2, 1, 3, 3}, at::kByte);
  const Dataset data = Dataset::from_tensors(fields_of({{"input", wrapped}}));
  EXPECT_EQ(data.all().input().data_ptr(), pixels.data());
  pixels[0] = 9;
  EXPECT_EQ(data.gather(long_tensor({0})).input().flatten()[0].item<int>(), 9);
  EXPECT_EQ(data.info().fields.at("input").high, 255);
  EXPECT_EQ(data.classes(), 0);
}

TEST(Dataset, DescribesWhatIsThere) {
  const Dataset data = Dataset::from_tensors(
      fields_of({{"input", at::rand({4, 5})}, {"target", at::tensor(std::vector<std::uint8_t>{0, 2, 2, 1})}}));
  EXPECT_EQ(data.info().fields.at("input").dtype, at::kFloat);
  EXPECT_EQ(data.info().fields.at("input").low, data.info().fields.at("input").high);  // no range declared
  EXPECT_EQ(data.info().fields.at("input").shape, (std::vector<std::int64_t>{5}));
  EXPECT_EQ(data.labels().scalar_type(), at::kLong);
  EXPECT_EQ(data.classes(), 3);
  EXPECT_EQ(data.select(long_tensor({0, 3})).classes(), 3);  // of the whole, whatever the view holds
  const Dataset declared =
      Dataset::from_tensors(fields_of({{"input", at::rand({4, 5})}}), {.fields = {{"input", {.low = -1, .high = 1}}}});
  EXPECT_EQ(declared.info().fields.at("input").low, -1);
  EXPECT_EQ(declared.info().fields.at("input").dtype, at::kFloat);
  const Dataset regression = Dataset::from_tensors(fields_of({{"input", at::rand({4, 5})}, {"target", at::rand({4})}}));
  EXPECT_EQ(regression.classes(), 0);
  expect_error<DataError>([&] { regression.labels(); }, {"labels", "other values"});
}

TEST(Dataset, RefusesWhatDoesNotFit) {
  const at::Tensor four = at::rand({4, 2}), labels = long_tensor({0, 1, 2, 0});
  auto make = [](Fields fields, DatasetInfo info = {}) { Dataset::from_tensors(std::move(fields), std::move(info)); };
  expect_error<DataError>([&] { make({}); }, {"dataset", "at least one field"});
  expect_error<DataError>(
      [&] {
        make(fields_of({{"input", four}, {"target", long_tensor({1})}}), {.name = "mine"});
      },
      {"mine", "4 examples in field \"target\"", "found 1"});
  expect_error<DataError>(
      [&] {
        make(fields_of({{"input", four}, {"target", labels}}), {.classes = {"a", "b"}});
      },
      {"labels in 0 … 1", "the label 2"});
  expect_error<DataError>([&] { make(fields_of({{"input", four}, {"target", labels - 1}})); }, {"the label -1"});
  expect_error<DataError>(
      [&] {
        make(fields_of({{"input", four}, {"target", labels * 1000000000}}));
      },
      {"the label 2000000000"});
  expect_error<DataError>(
      [&] {
        make(fields_of({{"input", four}}), {.fields = {{"input", {.shape = {3}}}}});
      },
      {"\"input\" of shape (3)", "found (2)"});
  expect_error<DataError>(
      [&] {
        make(fields_of({{"input", four}}), {.fields = {{"target", {}}}});
      },
      {"\"target\"", "none"});
  expect_error<DataError>([&] { make(fields_of({{"input", at::Tensor()}})); }, {"a tensor as field \"input\"", "none"});
  expect_error<DataError>([&] { make(fields_of({{"input", at::scalar_tensor(1.0)}})); }, {"a single value"});
  expect_error<DataError>([&] { make(fields_of({{"input", four.to_sparse()}})); }, {"dense"});
  expect_error<DataError>([&] { make(fields_of({{"input", at::zeros({2}, at::kComplexFloat)}})); }, {"complex"});
}

TEST(Dataset, ViewsCompose) {
  const Dataset data = numbered(10, 3);
  const Dataset view = data.select(long_tensor({9, 7, 5, 3})).select(long_tensor({3, 0}));
  EXPECT_EQ(numbers(view), (std::vector<std::int64_t>{3, 9}));
  EXPECT_EQ(values_of(view.gather(long_tensor({1})).target()), (std::vector<std::int64_t>{0}));
  const Dataset weighted = view.with("weight", at::tensor(std::vector<float>{0.5f, 2.0f})).select(long_tensor({1}));
  EXPECT_EQ(weighted.all()["weight"].item<float>(), 2.0f);
  EXPECT_EQ(numbers(weighted), (std::vector<std::int64_t>{9}));
  EXPECT_EQ(numbers(data.select(data.labels() == 2)), (std::vector<std::int64_t>{2, 5, 8}));
  at::Tensor mine = long_tensor({1, 2});
  const Dataset kept = data.select(mine);
  mine.fill_(0);
  EXPECT_EQ(numbers(kept), (std::vector<std::int64_t>{1, 2}));
}

TEST(Dataset, NamesFollowTheExamples) {
  const Dataset plain = numbered(4, 2);
  EXPECT_FALSE(plain.named());
  EXPECT_EQ(plain.select(long_tensor({3})).name(0), "1");  // of a view, its own number
  const Dataset data = plain.with_names({"a", "b", "c", "d"});
  EXPECT_TRUE(data.named());
  const Dataset view = data.select(long_tensor({3, 1, 0})).select(long_tensor({2, 0}));
  const Dataset changed = view.with("weight", at::ones({2})).without("target").described(view.info());
  EXPECT_EQ(changed.name(0) + changed.name(1), "ad");
  EXPECT_EQ(numbers(data), numbers(plain));
}

TEST(Dataset, WithoutHidesAField) {
  const Dataset bare = numbered(6, 2).without("target");
  EXPECT_FALSE(bare.has("target"));
  EXPECT_FALSE(bare.all().has("target"));
  EXPECT_FALSE(bare.gather(long_tensor({0})).has("target"));
  EXPECT_EQ(bare.classes(), 0);
  EXPECT_EQ(bare.without("target").size(), 6);
  expect_error<DataError>([&] { bare.labels(); }, {"numbered", "labels", "only input"});
  expect_error<DataError>([&] { bare.column("target"); }, {"a field \"target\"", "only input"});
  const Dataset again = bare.with("target", long_tensor({0, 0, 0, 4, 4, 4}));
  EXPECT_EQ(again.classes(), 5);
}

TEST(Dataset, RefusesBadPositions) {
  const Dataset data = numbered(4, 2);
  expect_error<DataError>([&] { data.gather(long_tensor({4})); }, {"positions below 4", "found 4"});
  expect_error<DataError>([&] { data.select(long_tensor({0, -1})); }, {"found -1"});
  expect_error<DataError>([&] { data.select(at::rand({2})); }, {"an index (N) of int64", "(2) float32"});
  expect_error<DataError>([&] { data.with("weight", at::rand({3})); }, {"4 examples in field \"weight\"", "found 3"});
}

TEST(Dataset, ChecksumFollowsTheContent) {
  Fields fields = fields_of({{"input", at::arange(3, at::kByte)}});
  const std::string sum = data_sha256(Dataset::from_tensors(fields));
  // sha256("input uint8 (3) " + sha256(00 01 02) + "\n"), by coreutils
  EXPECT_EQ(sum, "4172c9ceaf2500c525e65aecf5055fb3c7e39efdc9a13fe658b4e30216806897");
  EXPECT_EQ(sum, data_sha256(Dataset::from_tensors(fields, {.name = "another name"})));
  EXPECT_NE(sum, data_sha256(Dataset::from_tensors(fields).select(long_tensor({0, 2, 1}))));
}

}  // namespace
}  // namespace vaetl::dataset_test
