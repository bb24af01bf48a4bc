// The reader npy: which array is what, labels and values, layouts, what is left out; and arrays larger than the heap.
#include "vaetl/data/readers/npy.hpp"

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/io/npy.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::npy_test {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::Folder;
using testing::long_tensor;
using testing::values_of;

at::Tensor ramp_tensor(at::IntArrayRef shape) {
  return at::arange(c10::multiply_integers(shape), at::kFloat).view(shape);
}

std::vector<std::string> told(const std::string& reference, Splits* splits = nullptr) {
  std::vector<std::string> lines;
  Reading reading;
  reading.skipped = [&](const Problem& p) { lines.push_back(p.where + ": " + p.found); };
  const Splits read = data::open(reference, reading);
  if (splits != nullptr) *splits = read;
  return lines;
}

TEST(NpyReader, Options) {
  testing::expect_fields_cover<readers::Npy::Options>();
  testing::expect_defaults_round_trip<readers::Npy::Options>();
  expect_error<ConfigError>([] { data::open("npy:a.npy?target=b.npy&target_column=0"); }, {"npy.target_column"});
  expect_error<ConfigError>([] { data::open("npy:a.npy?test=b.npy&test_share=0.1"); }, {"npy.test_share"});
}

TEST(NpyReader, FolderByNames) {
  const Folder folder;
  write_npy(folder.path() / "X_train.npy", at::arange(24, at::kByte).view({2, 3, 4}));
  write_npy(folder.path() / "y_train.npy", at::tensor({7, 3}, at::kInt).view({2, 1}));
  write_npy(folder.path() / "X_test.npy", at::arange(36, at::kByte).view({3, 3, 4}));
  write_npy(folder.path() / "y_test.npy", at::tensor({3, 7, 5}, at::kInt));
  write_npy(folder.path() / "val_images.npy", at::zeros({1, 3, 4}, at::kByte));
  write_npy(folder.path() / "val_labels.npy", at::tensor({3}, at::kLong));
  write_npy(folder.path() / "notes.npy", at::zeros({1}));
  Splits splits = data::open("npy:" + folder.path().string() + "?layout=hw");
  EXPECT_EQ(splits.train.column("input").sizes(), at::IntArrayRef({2, 1, 3, 4}));
  EXPECT_EQ(splits.train.info().fields.at("input").dtype, at::kByte);
  EXPECT_EQ(values_of(splits.train.labels()), (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(splits.train.info().classes, (std::vector<std::string>{"3", "7"}));
  EXPECT_EQ(splits.validation.size(), 1);
  EXPECT_EQ(values_of(splits.test.labels()), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(told("npy:" + folder.path().string()),
            (std::vector<std::string>{(folder.path() / "X_test").string() + ": row 2: another"}));
  expect_error<DataError>([&] { data::open(data::parse_reference("npy:" + folder.path().string()), {.strict = true}); },
                          {"row 2", "a label of the training data"});
  write_npy(folder.path() / "x_train.npy", at::zeros({1}));
  expect_error<DataError>([&] { data::open("npy:" + folder.path().string()); },
                          {"one array for the input of a split", "\"X_train\" and \"x_train\"", "input=NAME"});
  EXPECT_EQ(data::open("npy:" + folder.path().string() + "?input=X_train").train.size(), 2);
}

TEST(NpyReader, Archive) {
  const Folder folder;
  const auto reference = read_safetensors("tests/parity/npy.safetensors").tensors.at("archive.deflated");
  const fs::path file =
      folder.write("a.npz", {static_cast<const char*>(reference.const_data_ptr()), reference.nbytes()});
  const Splits splits = data::open("npy:" + file.string());
  EXPECT_TRUE(at::equal(splits.train.column("input"), at::arange(-12, 12, at::kLong).view({2, 3, 4})));
  EXPECT_EQ(values_of(splits.train.labels()), (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(splits.test.size(), 0);
  expect_error<DataError>([&] { data::open("npy:" + file.string() + "?input=objects"); }, {"Python objects"});
  expect_error<DataError>([&] { data::open("npy:" + file.string() + "?target=z"); }, {"an array \"z\""});
}

TEST(NpyReader, TargetsBesideAndInColumns) {
  const Folder folder;
  const fs::path file = folder.path() / "a.npy";
  write_npy(file, ramp_tensor({4, 3}).to(at::kDouble));
  write_npy(folder.path() / "b.npy", at::tensor({0.5, 1.0, 2.0, 4.0}));
  const std::string reference = "npy:" + file.string();
  Dataset train = data::open(reference + "?target=b.npy").train;
  EXPECT_TRUE(at::equal(train.column("target"), at::tensor({0.5f, 1.0f, 2.0f, 4.0f}).view({4, 1})));
  EXPECT_EQ(train.column("input").scalar_type(), at::kFloat);
  expect_error<DataError>([&] { data::open(reference + "?target=b.npy&target_as=labels"); },
                          {"whole numbers as labels"});
  train = data::open(reference + "?target_column=1").train;
  EXPECT_TRUE(at::equal(train.column("input"), ramp_tensor({4, 3}).index_select(1, long_tensor({0, 2}))));
  EXPECT_EQ(train.info().classes, (std::vector<std::string>{"1", "4", "7", "10"}));
  train = data::open(reference + "?target_column=-1&target_as=values").train;
  EXPECT_TRUE(at::equal(train.column("target"), at::tensor({2.0f, 5.0f, 8.0f, 11.0f}).view({4, 1})));
  expect_error<ConfigError>([&] { data::open(reference + "?target_column=3"); }, {"a column of 3", "3"});
  write_npy(folder.path() / "short.npy", at::zeros({3}));
  expect_error<DataError>([&] { data::open(reference + "?target=short.npy"); },
                          {"4 targets, one for each input", "(3)"});
  expect_error<DataError>([&] { data::open(reference + "?layout=hwc"); }, {"images (N, H, W, C)", "(4, 3)"});
  expect_error<DataError>([&] { data::open(reference + "?test=short.npy"); }, {"short.npy", "(3)"});
  expect_error<DataError>([&] { data::open("npy:" + (folder.path() / "no.npz").string()); }, {"nothing there"});
}

// 16 bits: token ids in two dimensions, pictures in more, whose range the models' default preprocessing maps.
TEST(NpyReader, IntegersByTheirRank) {
  const Folder folder;
  const at::Tensor ramp = at::arange(24, at::kInt).mul(2500);  // up to 57500
  const std::string reference = "npy:" + (folder.path() / "a.npy").string();
  auto open_as = [&](at::ScalarType dtype, std::vector<std::int64_t> shape, const std::string& options = "") {
    write_npy(folder.path() / "a.npy", ramp.view(shape).to(dtype));
    return data::open(reference + options).train;
  };
  const Dataset ids = open_as(at::kUInt16, {4, 6});
  EXPECT_EQ(ids.info().fields.at("input").dtype, at::kInt);
  EXPECT_TRUE(at::equal(ids.column("input"), ramp.view({4, 6})));
  for (const char* options : {"", "?layout=hwc"}) {
    const Dataset pictures = open_as(at::kUInt16, {2, 3, 4, 1}, options);
    const FieldInfo& input = pictures.info().fields.at("input");
    EXPECT_EQ(input.dtype, at::kFloat);
    EXPECT_EQ(input.low, 0);
    EXPECT_EQ(input.high, 65535);
    EXPECT_TRUE(at::equal(pictures.column("input").flatten(), ramp.to(at::kFloat)));
    Fields batch = pictures.all();
    Signature unit;
    unit.inputs["input"] = {input.shape, at::kFloat, 0, 1};
    Preprocess::standard(pictures, unit).apply(batch);
    EXPECT_TRUE(at::allclose(batch.input().flatten(), ramp.to(at::kFloat).div(65535)));
  }
  EXPECT_EQ(open_as(at::kUInt16, {2, 3, 4}, "?layout=hw").info().fields.at("input").shape,
            (std::vector<std::int64_t>{1, 3, 4}));
  const Dataset values = open_as(at::kInt, {2, 3, 4});
  EXPECT_EQ(values.info().fields.at("input").dtype, at::kFloat);
  EXPECT_EQ(values.info().fields.at("input").high, values.info().fields.at("input").low);
  EXPECT_EQ(open_as(at::kInt, {4, 6}).info().fields.at("input").dtype, at::kInt);
  EXPECT_EQ(values_of(open_as(at::kUInt16, {4, 6}, "?target_column=0").labels()),
            (std::vector<std::int64_t>{0, 1, 2, 3}));
  write_npy(folder.path() / "b.npy", at::tensor({3, 9}, at::kInt).to(at::kUInt16));
  write_npy(folder.path() / "a.npy", at::zeros({2, 3}));
  EXPECT_EQ(data::open(reference + "?target=b.npy").train.info().classes, (std::vector<std::string>{"3", "9"}));
}

TEST(NpyReader, FittedReaderLearnsNothing) {
  const Folder folder;
  write_npy(folder.path() / "a.npy", at::tensor({5.0, 0.1, 0.2, 9.0, 0.3, 0.4}).view({2, 3}));
  write_npy(folder.path() / "b.npy", at::tensor({9.0, 1.1, 1.2, 6.0, 1.3, 1.4}).view({2, 3}));
  write_npy(folder.path() / "c.npy", at::tensor({1.1, 1.2}).view({1, 2}));
  const std::string at = "npy:" + folder.path().string() + "/";
  const Json fitted = data::open(at + "a.npy?target_column=0&target_as=labels").train.info().reader;
  EXPECT_EQ(fitted.at("classes"), Json({"5", "9"}));
  EXPECT_EQ(fitted.at("shape"), Json({2}));
  EXPECT_FALSE(fitted.contains("test_share") || fitted.contains("input"));
  Reading reading;
  reading.fitted = fitted;
  const Dataset other = data::open(at + "b.npy", reading).train;
  EXPECT_EQ(values_of(other.labels()), (std::vector<std::int64_t>{1}));
  const Dataset bare = data::open(at + "c.npy", reading).train;
  EXPECT_FALSE(bare.has("target"));
  write_npy(folder.path() / "d.npy", at::zeros({1, 7}));
  expect_error<DataError>([&] { data::open(at + "d.npy", reading); }, {"examples of shape (2)", "(6)"});
}

TEST(NpyReader, LayoutsAndMissingValues) {
  const Folder folder;
  const at::Tensor images = ramp_tensor({3, 2, 4, 3});
  write_npy(folder.path() / "x.npy", images);
  const std::string reference = "npy:" + folder.path().string();
  EXPECT_TRUE(at::equal(data::open(reference + "?layout=hwc").train.gather(long_tensor({2, 0})).input(),
                        images.permute({0, 3, 1, 2}).index_select(0, long_tensor({2, 0}))));
  images[1][0][0][0] = std::numeric_limits<float>::infinity();
  write_npy(folder.path() / "x.npy", images);
  Splits splits = data::open(reference);
  EXPECT_EQ(told(reference, &splits),
            (std::vector<std::string>{(folder.path() / "x").string() + ": row 1: NaN or infinity"}));
  EXPECT_TRUE(at::equal(splits.train.column("input"), images.index_select(0, long_tensor({0, 2}))));
  EXPECT_EQ(data::open(reference + "?test_share=0.5").test.size(), 1);
}

}  // namespace
}  // namespace vaetl::npy_test
