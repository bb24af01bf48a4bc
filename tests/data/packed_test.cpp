// Packed files: what was packed comes back, damage is found and named, a plain safetensors file is enough.
#include "vaetl/data/packed.hpp"

#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::packed_test {
namespace {

using testing::expect_error;
using testing::Folder;
using testing::numbered;
namespace fs = std::filesystem;

Dataset pictures(std::int64_t count, const std::string& split) {
  Fields fields;
  fields.set("input", at::arange(count * 12, at::kLong).remainder(251).to(at::kByte).view({count, 3, 2, 2}));
  fields.set("target", at::arange(count, at::kLong).remainder(2));
  fields.set("weight", at::arange(count, at::kFloat).div(7));
  return Dataset::from_tensors(fields, {.name = "pets",
                                        .split = split,
                                        .licence = "CC0",
                                        .sha256 = "of the whole",
                                        .classes = {"cat", "dög"},
                                        .reader = {{"name", "folder"}, {"size", 2}},
                                        .preprocess = Json::array({{{"name", "scale"}}}),
                                        .overlap = split == "train" ? 3 : 0});
}

Splits pets() { return {pictures(11, "train"), pictures(0, "validation"), pictures(5, "test")}; }

void expect_equal(const Dataset& a, const Dataset& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [key, field] : a.info().fields) {
    EXPECT_TRUE(at::equal(a.column(key), b.column(key))) << key;
    const FieldInfo& other = b.info().fields.at(key);
    EXPECT_EQ(field.shape, other.shape);
    EXPECT_EQ(field.dtype, other.dtype);
    EXPECT_EQ(std::pair(field.low, field.high), std::pair(other.low, other.high));
  }
  EXPECT_EQ(a.info().fields.size(), b.info().fields.size());
}

// Overwrites one byte `before_end` bytes before the file's end.
void damage(const fs::path& file, std::int64_t before_end) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(-before_end, std::ios::end);
  const char old = static_cast<char>(stream.get());
  stream.seekp(-before_end, std::ios::end);
  stream.put(static_cast<char>(old ^ 0x10));
}

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(Packed, GivesBackWhatWasPacked) {
  const Folder folder;
  const fs::path file = folder.path() / "pets.safetensors";
  std::vector<std::int64_t> told;
  data::pack(pets(), file, [&](std::int64_t done, std::int64_t all) {
    EXPECT_EQ(all, 16);
    told.push_back(done);
  });
  EXPECT_EQ(told, (std::vector<std::int64_t>{11, 16}));
  const Splits read = data::open("packed:" + file.string());
  expect_equal(read.train, pictures(11, "train"));
  expect_equal(read.test, pictures(5, "test"));
  EXPECT_EQ(read.validation.size(), 0);
  const DatasetInfo &info = read.train.info(), original = pictures(11, "train").info();
  EXPECT_EQ(info.name, "pets");
  EXPECT_EQ(info.split, "train");
  EXPECT_EQ(info.licence, "CC0");
  EXPECT_EQ(info.classes, original.classes);
  EXPECT_EQ(info.reader, original.reader);
  EXPECT_EQ(info.preprocess, original.preprocess);
  EXPECT_EQ(info.overlap, 3);
  EXPECT_EQ(read.test.info().overlap, 0);
  EXPECT_EQ(info.sha256, data_sha256(pictures(11, "train"))) << "the checksum is of what lies in the file";
  EXPECT_EQ(read.train.window(), 0);
  const data::PackedCheck check = data::verify_packed(file);
  EXPECT_EQ(check.sums, 6);
  EXPECT_TRUE(check.damaged.empty());
  const fs::path again = folder.path() / "again.safetensors";
  data::pack(read, again);
  EXPECT_EQ(bytes_of(again), bytes_of(file));
}

// Views and sources that are gathered part by part: 40 MB are three parts of 16 MiB and one sum of 64 MiB.
TEST(Packed, WritesPartByPart) {
  const Folder folder;
  const fs::path file = folder.path() / "large.safetensors";
  Fields fields;
  fields.set("input", at::arange(10'000, at::kInt).view({-1, 1}).expand({10'000, 1024}));
  const Dataset data = Dataset::from_tensors(fields).select(at::arange(9'999, -1, -1, at::kLong));
  std::int64_t parts = 0;
  data::pack(data, file, [&](std::int64_t, std::int64_t) { ++parts; });
  EXPECT_EQ(parts, 3);
  const Dataset read = data::open("packed:" + file.string()).train;
  EXPECT_TRUE(at::equal(read.column("input"), data.column("input")));
  EXPECT_EQ(read.info().sha256, data_sha256(data));
  EXPECT_EQ(data::verify_packed(file).sums, 1);
}

TEST(Packed, SetsAbove64MiBHaveAWindow) {
  const Folder folder;
  const fs::path file = folder.path() / "large.safetensors";
  Fields fields;
  fields.set("input", at::zeros({3000, 1}, at::kInt).expand({3000, 8192}));
  data::pack(Dataset::from_tensors(fields), file);
  const Dataset read = data::open("packed:" + file.string()).train;
  EXPECT_EQ(read.window(), 2048);
  EXPECT_EQ(hold_out(read, 0.1, 0).rest.window(), 2048);
  damage(file, 3);  // the last of 94 MB
  const data::PackedCheck check = data::verify_packed(file);
  EXPECT_EQ(check.sums, 2);
  ASSERT_EQ(check.damaged.size(), 1u);
  EXPECT_NE(check.damaged[0].expected.find("\"train.input\" of the examples 2048 to 2999"), std::string::npos)
      << check.damaged[0].expected;
}

TEST(Packed, DamageIsFoundAndNamed) {
  const Folder folder;
  const fs::path file = folder.path() / "pets.safetensors";
  data::pack(pets(), file);
  damage(file, 1);  // uint8 lies last: test.input and train.input, by name
  const data::PackedCheck check = data::verify_packed(file);
  ASSERT_EQ(check.damaged.size(), 1u);
  EXPECT_EQ(check.damaged[0].where, file.string());
  EXPECT_NE(check.damaged[0].expected.find("\"train.input\" of the examples 0 to 10"), std::string::npos);
  // Any byte of the header but its digest of itself: refused at once.
  data::pack(pets(), file);
  const std::string whole = bytes_of(file);
  const auto at = whole.find("CC0");
  damage(file, static_cast<std::int64_t>(whole.size() - at));
  expect_error<DataError>([&] { data::open("packed:" + file.string()); },
                          {file.string(), "a header as it was packed", "a damaged one"});
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() - 1}) {
    folder.write("pets.safetensors", whole.substr(0, size));
    expect_error<DataError>([&] { data::open("packed:" + file.string()); }, {file.string()});
    expect_error<DataError>([&] { data::verify_packed(file); }, {file.string()});
  }
  expect_error<DataError>([&] { data::open("packed:" + (folder.path() / "none").string()); }, {"a readable file"});
  expect_error<DataError>([&] { data::open("packed:" + folder.path().string()); }, {"a regular file", "a folder"});
}

TEST(Packed, APlainSafetensorsFileIsEnough) {
  const Folder folder;
  const fs::path file = folder.path() / "mine.safetensors";
  const std::string reference = "packed:" + file.string();
  const at::Tensor x = at::arange(24, at::kByte).view({8, 3}), y = at::arange(8, at::kByte);
  write_safetensors(
      file, {{"train.input", x}, {"train.target", y}, {"test.input", x}, {"test.target", y.div(4).to(at::kByte)}});
  const Splits read = data::open(reference);
  EXPECT_TRUE(at::equal(read.train.column("input"), x));
  EXPECT_EQ(read.train.column("target").scalar_type(), at::kLong);
  EXPECT_EQ(read.train.info().name, reference);
  EXPECT_EQ(read.train.classes(), 8);
  EXPECT_EQ(read.test.classes(), 8) << "both splits have as many classes as the larger label asks for";
  EXPECT_EQ(read.validation.size(), 0);
  EXPECT_EQ(data::verify_packed(file).sums, 0);

  write_safetensors(file, {{"train.input", x}, {"train.target", y.remainder(2)}},
                    {{"vaetl.info.train", R"({"classes": ["cat", "dog"]})"}});
  EXPECT_EQ(data::open(reference).train.info().classes, (std::vector<std::string>{"cat", "dog"}));
  const Splits shared = data::open(reference + "?test_share=0.25");
  EXPECT_EQ(shared.train.size(), 6);
  EXPECT_EQ(shared.test.size(), 2);
  EXPECT_EQ(shared.test.info().split, "test");
}

TEST(Packed, RefusesWhatIsNone) {
  const Folder folder;
  const fs::path file = folder.path() / "mine.safetensors";
  const at::Tensor x = at::zeros({4, 3}), y = at::arange(4, at::kLong);
  auto refuse = [&](const std::map<std::string, at::Tensor>& tensors,
                    const std::map<std::string, std::string>& metadata, std::initializer_list<std::string_view> parts) {
    write_safetensors(file, tensors, metadata);
    expect_error<DataError>([&] { data::open("packed:" + file.string()); }, parts);
  };
  refuse({{"encoder.weight", x}}, {}, {"tensors named train.FIELD", "\"encoder.weight\""});
  refuse({{"train", x}}, {}, {"tensors named train.FIELD", "\"train\""});
  refuse({{"train.target", y}}, {}, {"a tensor \"train.input\"", "none"});
  refuse({}, {}, {"tensors such as train.input", "none"});
  refuse({{"train.input", x}, {"train.target", y.slice(0, 0, 3)}}, {}, {"4 examples in field \"target\"", "found 3"});
  refuse({{"train.input", x}}, {{"vaetl.packed", "2"}}, {"a packed file of version 1", "\"2\""});
  refuse({{"train.input", x}}, {{"vaetl.info.train", "{"}}, {"vaetl.info.train"});
  refuse({{"train.input", x}}, {{"vaetl.info.train", R"({"clases": []})"}}, {"clases", "did you mean \"classes\""});
  refuse({{"train.input", x}, {"train.target", y}}, {{"vaetl.info.train", R"({"classes": ["a", "b"]})"}},
         {"labels in 0 … 1", "the label 3"});
  data::pack(pets(), file);
  expect_error<ConfigError>([&] { data::open("packed:" + file.string() + "?test_share=0.5"); },
                            {"data.test_share", "without a test split"});
  expect_error<DataError>([&] { data::pack(pictures(0, "train"), file); }, {"examples to pack", "none"});
}

// A disk that is full, played by the limit on file sizes: one line, and neither the file nor a part of it.
TEST(Packed, AFullDiskLeavesNothing) {
  const Folder folder;
  const fs::path file = folder.path() / "pets.safetensors";
  rlimit before = {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{20'000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  expect_error<OutputError>([&] { data::pack(pictures(10'000, "train"), file); },
                            {file.string(), "room for all of it"});
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace vaetl::packed_test
