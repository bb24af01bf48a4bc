// Files that torch.save wrote, in both formats, against what was saved.
#include "vaetl/io/pytorch.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/io/pytorch_reference.hpp"
#include "tests/io/scratch.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/torch_stream.hpp"
#include "vaetl/core/error.hpp"

namespace vaetl::pytorch_test {
namespace {

using testing::expect_error;
using testing::Scratch;
using testing::torch_file;
using testing::torch_file_names;
using testing::torch_tensors;
namespace hand = testing::hand;
using Tensors = std::map<std::string, at::Tensor>;

PytorchFile read(const std::string& bytes, const PytorchOptions& options = {}) {
  const Scratch scratch;
  return read_pytorch(scratch.put("file.pth", bytes), options);
}

// Types that the reference cannot hold stand in it as bytes.
void expect_equal(const Tensors& found, const Tensors& expected, const std::string& file) {
  ASSERT_EQ(found.size(), expected.size()) << file;
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(found.contains(name)) << file << ": " << name;
    const at::Tensor& other = found.at(name);
    ASSERT_EQ(other.nbytes(), tensor.nbytes()) << file << ": " << name;
    EXPECT_TRUE(other.is_contiguous()) << file << ": " << name;
    const bool same =
        tensor.nbytes() == 0 || std::memcmp(other.const_data_ptr(), tensor.const_data_ptr(), tensor.nbytes()) == 0;
    EXPECT_TRUE(same) << file << ": " << name;
    if (tensor.scalar_type() == at::kByte) continue;
    EXPECT_EQ(other.scalar_type(), tensor.scalar_type()) << file << ": " << name;
    EXPECT_EQ(other.sizes(), tensor.sizes()) << file << ": " << name;
  }
}

TEST(Pytorch, EveryFileHoldsWhatWasSaved) {
  int seen = 0;
  for (const std::string& name : torch_file_names()) {
    const Tensors expected = torch_tensors(name);
    if (expected.empty()) continue;  // to be refused
    expect_equal(read(torch_file(name)).tensors, expected, name);
    ++seen;
  }
  EXPECT_EQ(seen, 2 * 9 + 1 + 6) << "both formats of nine, the zip format of one, six variants";
}

TEST(Pytorch, TypesThatSafetensorsLacks) {
  const auto types = read(torch_file("stream.types")).tensors;
  EXPECT_TRUE(at::equal(types.at("complex64"), at::complex(types.at("float32"), 2 * types.at("float32"))));
  EXPECT_EQ(types.at("complex128").scalar_type(), at::kComplexDouble);
  EXPECT_EQ(types.at("uint8").sizes(), at::IntArrayRef({2, 3}));
  const auto fresh = read(torch_file("zip.new_types")).tensors;
  EXPECT_EQ(fresh.at("uint16").scalar_type(), at::kUInt16);
  EXPECT_TRUE(at::equal(fresh.at("float8_e4m3fn").to(at::kFloat), at::arange(6, at::kFloat).view({2, 3})));
}

TEST(Pytorch, SharedMemoryIsSharedAndTheFileIsNot) {
  const Scratch scratch;
  for (const char* name : {"zip.views", "stream.views"}) {
    const auto path = scratch.put("views.pt", torch_file(name));
    const auto tensors = read_pytorch(path).tensors;
    tensors.at("base")[5].fill_(-1);
    EXPECT_EQ(tensors.at("offset")[0].item<float>(), -1) << name;
    EXPECT_EQ(tensors.at("slice").sizes(), at::IntArrayRef({5}));
    EXPECT_EQ(read_pytorch(path).tensors.at("offset")[0].item<float>(), 5) << name;
    std::filesystem::remove(path);
    EXPECT_EQ(tensors.at("transposed")[1][1].item<float>(), 7) << name;
  }
}

TEST(Pytorch, PlainDataBesideTheTensors) {
  for (const char* name : {"zip.checkpoint", "stream.checkpoint"}) {
    const PytorchFile file = read(torch_file(name));
    EXPECT_EQ(file.key, "state_dict");
    std::map<std::string, Json> values = file.values;
    EXPECT_EQ(values.at("bytes"), Json::binary({0x00, 0xff}));
    EXPECT_EQ(values.at("no_bytes"), Json::binary({}));
    EXPECT_EQ(values.at("big").get<double>(), std::ldexp(1.0, 70));
    EXPECT_EQ(values.at("optimizer.param_groups.0.lr"), 0.1);
    EXPECT_EQ(values.at("optimizer.param_groups.0.params.1"), 1);
    std::erase_if(values, [](const auto& item) {
      return item.first.starts_with("optimizer.") || item.first == "bytes" || item.first == "no_bytes" ||
             item.first == "big";
    });
    const std::map<std::string, Json> expected = {
        {"epoch", 18},     {"arch", "resnet18"}, {"best_prec1", 91.78},
        {"count", -3},     {"half", 0.5},        {"flag", true},
        {"yes", true},     {"nothing", nullptr}, {"negative", -(std::int64_t{1} << 40)},
        {"name", "Größe"}, {"device", "cuda:1"}, {"dtype", "torch.float32"},
        {"size.0", 2},     {"size.1", 3},        {"set.0", 7},
        {"losses.0", 0.5}, {"losses.1", 0.25},   {"pair.0", "a"},
        {"pair.1", 1},     {"seen.a", 2},        {"seen.b", 1},
        {"3", "three"}};
    EXPECT_EQ(values, expected) << name;
  }
}

TEST(Pytorch, TheKeyChoosesADict) {
  const std::string checkpoint = torch_file("zip.checkpoint"), dotted = torch_file("stream.dotted");
  const auto momentum = read(checkpoint, {.key = "optimizer.state"}).tensors;
  EXPECT_EQ(momentum.at("0.momentum_buffer").sizes(), at::IntArrayRef({3, 2, 3, 3}));
  EXPECT_TRUE(read(checkpoint, {.key = "."}).tensors.contains("state_dict.w"));
  EXPECT_EQ(read(torch_file("zip.deep")).key, "nets.main");
  EXPECT_EQ(read(torch_file("zip.pair")).key, "0");
  EXPECT_EQ(read(torch_file("zip.ordered")).key, "");
  EXPECT_EQ(read(dotted, {.key = "net.g"}).tensors.size(), 2u);
  EXPECT_EQ(read(dotted, {.key = "net.g.a"}).tensors.size(), 1u);
  EXPECT_EQ(read(torch_file("stream.several"), {.key = "netD"}).tensors.at("w").size(0), 24);
  expect_error<ConfigError>(
      [&] { read(torch_file("zip.several"), {.key = "netg"}); },
      {"file.pth: key: expected the dotted path of a dict in the file, found \"netg\"", "did you mean \"netG\"?"});
  expect_error<FileError>([&] { read(torch_file("zip.none"), {.key = "."}); }, {"tensors in \".\", found none"});
}

TEST(Pytorch, WithoutAKeyOneDictMustBeMeant) {
  for (const char* format : {"zip.", "stream."}) {
    const auto refused = [&](const std::string& name, std::initializer_list<std::string_view> parts) {
      expect_error<FileError>([&] { read(torch_file(format + name)); }, parts);
    };
    refused("several", {"expected one dict of tensors, found 3: \".\", \"netG\", \"netD\"", "FILE?key=NAME"});
    refused("two_usual", {"found 2: \"model\", \"state_dict\""});
    refused("none", {"expected a dict of tensors, found a dict of 2 values without one", "save model.state_dict()"});
    refused("tensor", {"found a tensor alone"});
    refused("list", {"found a list of 2 values without one"});
  }
}

TEST(Pytorch, APrefixIsTakenOff) {
  const std::string file = torch_file("zip.prefixed");
  EXPECT_EQ(read(file, {.strip_prefix = "module."}).tensors.count("w"), 1u);
  expect_error<ConfigError>(
      [&] { read(file, {.strip_prefix = "net."}); },
      {"file.pth: strip_prefix: expected a prefix of names such as \"module.b\", \"module.w\"", "found \"net.\""});
  Tensors clash = {{"a.w", at::ones({1})}, {"w", at::ones({1})}};
  expect_error<FileError>([&] { strip_prefix(clash, "a.", "f"); }, {"f: ", "\"w\" twice without \"a.\""});
}

TEST(Pytorch, StoragesOfAGpuComeToTheCpu) {
  std::string file = torch_file("stream.ordered");
  const auto replace = [&](const std::string& from, const std::string& to) {
    int count = 0;
    for (auto at = file.find(from); at != std::string::npos; at = file.find(from, at + to.size()), ++count) {
      file.replace(at, from.size(), to);
    }
    return count;
  };
  EXPECT_GT(replace(hand::text("cpu"), hand::text("cuda:0")), 0);
  EXPECT_GT(replace("ctorch\nFloatStorage\n", "ctorch.cuda\nFloatStorage\n"), 0);
  expect_equal(read(file).tensors, torch_tensors("stream.ordered"), "cuda");
}

// Python 2 wrote names as bytes, and the first versions of PyTorch parts of storages.
TEST(Pytorch, OldStreams) {
  const std::string part =
      hand::tuple({hand::text("storage"), hand::global("torch", "FloatStorage"), hand::text("0"), hand::text("cpu"),
                   hand::number(4), hand::tuple({hand::text("9"), hand::number(1), hand::number(2)})}) +
      "Q";
  const std::string name("U\x01w", 3), latin("U\x01\xe9", 3);
  const std::string object = "}(" + name + hand::tensor(part, 0, {2}, {1}) + hand::text("x") + latin + "u";
  const PytorchFile file = read(hand::stream(object, {hand::four_floats()}));
  EXPECT_TRUE(at::equal(file.tensors.at("w"), at::tensor({2.0f, 3.0f})));
  EXPECT_EQ(file.values.at("x"), Json::binary({0xe9}));
  expect_error<FileError>(
      [&] {
        read(hand::stream(hand::dict({{"w", hand::tensor(part, 0, {3}, {1})}}), {hand::four_floats()}));
      },
      {"a tensor that reaches beyond its storage \"0\" of 8 bytes"});
}

TEST(Pytorch, TheBytesTellTheFormat) {
  const Scratch scratch;
  const auto is = [&](const std::string& bytes) { return is_pytorch(scratch.put("any.bin", bytes)); };
  EXPECT_TRUE(is(torch_file("zip.pair")));
  EXPECT_TRUE(is(torch_file("stream.pair")));
  EXPECT_TRUE(is(torch_file("stream.ordered.protocol4")));
  EXPECT_FALSE(is(std::string("\x80\x02\0\0\0\0\0\0{\"a\":1}", 15))) << "a safetensors header of 640 bytes";
  EXPECT_FALSE(is(""));
  EXPECT_FALSE(is_pytorch(scratch / "absent"));
  EXPECT_FALSE(is_pytorch(scratch.folder()));
}

}  // namespace
}  // namespace vaetl::pytorch_test
