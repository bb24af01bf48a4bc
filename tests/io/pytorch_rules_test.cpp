// What a PyTorch file may not be: other than plain data, damaged, or made to hurt.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/io/pytorch_reference.hpp"
#include "tests/io/scratch.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/torch_stream.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/io/pytorch.hpp"

namespace vaetl::pytorch_rules_test {
namespace {

using testing::expect_error;
using testing::Scratch;
using testing::torch_file;
namespace hand = testing::hand;

using Parts = std::initializer_list<std::string_view>;

PytorchFile read(const std::string& bytes) {
  const Scratch scratch;
  return read_pytorch(scratch.put("file.pth", bytes));
}

void refused(const std::string& bytes, Parts parts) {
  expect_error<FileError>([&] { read(bytes); }, parts);
}

std::string repeated(const std::string& part, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += part;
  return result;
}

TEST(PytorchRules, WhatAFileWantsToBuildIsNamed) {
  for (const char* format : {"zip.refused.", "stream.refused."}) {
    const auto file = [&](const char* name) { return torch_file(std::string(format) + name); };
    refused(file("module"),
            {"file.pth: expected tensors, dicts, lists, numbers and strings, found a pickled object of class "
             "\"models.LeNet\"; save model.state_dict() instead"});
    refused(file("system"), {"found a pickled call of \"posix.system\""});
    refused(file("sparse"), {"\"torch._utils._rebuild_sparse_tensor\"; save dense tensors"});
    refused(file("array"), {"found a pickled call of \"numpy._core.multiarray._reconstruct\""});
    refused(file("text_scalar"), {"NumPy values that are plain numbers, found one of the type \"U1\""});
  }
}

TEST(PytorchRules, NumbersOfOtherMachines) {
  const std::string type = hand::global("numpy", "dtype") + hand::tuple({hand::text("f8"), "\x89", "\x88"}) + "R";
  const auto state = [&](const char* order) { return hand::tuple({hand::number(3), hand::text(order)}) + "b"; };
  const auto value = [](const std::string& bytes) {
    return "U" + std::string(1, static_cast<char>(bytes.size())) + bytes;
  };
  const std::string scalar = hand::global("numpy.core.multiarray", "scalar");
  const std::string one("\0\0\0\0\0\0\xf0\x3f", 8);
  EXPECT_EQ(read(hand::beside_tensor(scalar + hand::tuple({type + state("<"), value(one)}) + "R")).values.at("x"), 1.0);
  refused(hand::beside_tensor(scalar + hand::tuple({type + state(">"), value(one)}) + "R"),
          {"little-endian values, found the byte order \">\""});
  refused(hand::beside_tensor(scalar + hand::tuple({type, value("four")}) + "R"), {"a number of another size"});
}

TEST(PytorchRules, ZipArchivesOfOtherKinds) {
  const auto file = [&](const char* name) { return torch_file(std::string("zip.refused.") + name); };
  refused(file("conj"), {"a tensor that is \"conj\"", "resolve_conj"});
  refused(file("storage"), {"a storage alone: \"s\""});
  refused(file("compressed"), {"records that are stored", "data.pkl\" compressed"});
  refused(file("twice"), {"a whole zip archive, found \"archive/data/0\" twice"});
  refused(file("big"), {"the byte order \"little\", found \"big\""});
  refused(file("version"), {"a format version from 1 to 10, found \"99\""});
  refused(file("short"), {"a record of 16 bytes for the storage \"0\", found 15 bytes"});
  refused(file("script"), {"found a TorchScript program"});
  refused(file("npz"), {"an archive that torch.save wrote, found a zip archive without data.pkl"});
  std::string damaged = torch_file("zip.prefixed");
  const auto at = damaged.find(std::string("\0\0\x80\x3f\0\0\x80\x3f", 8));
  ASSERT_NE(at, std::string::npos);
  damaged[at] = '\1';
  refused(damaged, {"storage \"", "expected the CRC-32", "the file is damaged"});
}

TEST(PytorchRules, FilesOfOtherKinds) {
  refused("", {"found an empty file"});
  refused("#!/bin/sh\n", {"a file of torch.save, found a file of another kind"});
  refused(std::string("\x80\x04}q\0.", 6), {"a file of torch.save, found another pickle"});
  expect_error<FileError>([] { read_pytorch("/nowhere/at/all.pt"); }, {"/nowhere/at/all.pt", "No such file"});
  std::string big = torch_file("stream.ordered");
  const auto at = big.find(hand::text("little_endian"));
  big[big.find('\x88', at)] = '\x89';
  refused(big, {"the byte order \"little\", found \"big\""});
}

TEST(PytorchRules, BrokenPickles) {
  const auto broken = [&](const std::string& object, Parts parts) { refused(hand::stream(object), parts); };
  broken("t", {"a pickle as torch.save writes it, found no mark on the stack at byte 3 of it"});
  broken("R", {"an empty stack"});
  broken("(0R", {"an empty stack"});
  broken("", {"an empty stack"});
  broken("N(s", {"an empty stack"});  // the dict would lie below the mark
  broken("h\x05", {"a reference to value 5, which there is not"});
  broken("i", {"the unknown instruction 0x69"});
  broken("\x80\x06", {"the pickle protocol 6"});
  broken("cos", {"a name without an end"});
  broken("Na", {"an empty stack"});
  broken("NNa", {"another value than a list"});
  broken("N(NNu", {"another value than a dict"});
  broken("}(Nu", {"a key without a value"});
  broken("NNR", {"another value than a class"});
  broken(hand::global("torch", "Tensor") + ")R", {"a call of torch.Tensor"});
  broken(hand::global("torch._utils", "_rebuild_tensor") + ")R", {"a call without a storage"});
  broken("NQ", {"another value than the place of a storage"});
  broken(hand::text("\xff"), {"text that is not UTF-8"});
  broken("NNb", {"another value than a dict"});
  broken(hand::global("os", "\xff"), {"a class whose name is not UTF-8"});
}

TEST(PytorchRules, CountsBeyondTheFile) {
  const auto beyond = [&](const std::string& object) {
    refused(hand::stream(object), {" bytes and ", " left at byte"});
  };
  beyond(std::string("X\xff\xff\xff\x7f", 5));
  beyond(std::string("\x8b\xff\xff\xff\xff", 5));
  beyond("\x8d" + std::string(7, '\xff') + '\x7f');
  beyond("\x8e" + std::string(8, '\xff'));
  beyond("\x95" + std::string(8, '\xff'));
}

// Strides, sizes and offsets are checked before any memory is taken.
TEST(PytorchRules, TensorsOutsideTheirStorage) {
  constexpr std::int64_t huge = std::int64_t{1} << 62;
  const auto outside = [&](std::int64_t offset, const std::vector<std::int64_t>& sizes,
                           const std::vector<std::int64_t>& strides, Parts parts) {
    const std::string tensor = hand::tensor(hand::storage("0", 4), offset, sizes, strides);
    refused(hand::stream(hand::dict({{"w", tensor}}), {hand::four_floats()}), parts);
  };
  outside(0, {5}, {1}, {"a tensor that reaches beyond its storage \"0\" of 16 bytes"});
  outside(1, {4}, {1}, {"reaches beyond"});
  outside(4, {1}, {1}, {"reaches beyond"});
  outside(0, {2, 2}, {3, 1}, {"reaches beyond"});
  outside(-1, {1}, {1}, {"cannot lie in"});
  outside(huge, {2}, {huge}, {"cannot lie in"});
  outside(0, {huge, 4}, {0, 0}, {"cannot lie in"});
  outside(0, {huge, 4, 0}, {0, 0, 1}, {"cannot lie in"});
  outside(0, {-1}, {1}, {"a negative size"});
  outside(0, {1}, {-1}, {"a negative size"});
  outside(0, {1, 1}, {1}, {"sizes and strides of different lengths"});
  outside(0, std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1), {"a tensor of 65 dimensions"});
  outside(0, {std::int64_t{1} << 40}, {0}, {"about the size of the file, found a spread one of 4398046511104 bytes"});
}

TEST(PytorchRules, StoragesThatDoNotFit) {
  const auto with = [&](const std::string& object,
                        const std::vector<std::pair<std::string, std::string>>& storages = {hand::four_floats()}) {
    return hand::stream(hand::dict({{"w", object}}), storages);
  };
  const auto tensor = [&](const std::string& storage) { return hand::tensor(storage, 0, {1}, {1}); };
  refused(with(tensor(hand::storage("0", 5))), {"20 bytes for the storage \"0\", found 4 elements"});
  refused(with(tensor(hand::storage("1", 4))), {"every storage once, found another key"});
  refused(with(tensor(hand::storage("0", 4)), {}), {"the keys of 1 storages, found 0"});
  refused(with(tensor(hand::storage("0", -1))), {"no storage"});
  refused(with(tensor(hand::storage("0", std::int64_t{1} << 62))), {"no storage"});
  refused(with(tensor(hand::storage("0", 4)) + "0" + tensor(hand::storage("0", 4, "IntStorage"))),
          {"two types or sizes of the storage \"0\""});
  refused(with(tensor(hand::storage("0", 4, "UntypedStorage"))), {"a tensor without a type"});
  refused(with(tensor(hand::storage("0", 4))) + "x", {"the end of the file after the last storage, found 1 bytes"});
  const auto flags = hand::tensor(hand::storage("0", 4, "BoolStorage"), 0, {4}, {1});
  std::string bytes = hand::stream(hand::dict({{"w", flags}}), {{"0", std::string(16, '\2')}});
  refused(bytes.substr(0, bytes.size() - 12), {"storage \"0\": expected booleans of 0 or 1, found 2 at byte 0"});
}

// Small files whose content would be endless, written out or followed.
TEST(PytorchRules, BombsAreRefusedAtOnce) {
  const int deep = 200'000;
  refused(hand::beside_tensor(repeated("]", deep) + repeated("a", deep - 1)), {"at most 64 levels of nesting"});
  std::string doubled = "]q\1";
  for (int i = 0; i < 40; ++i) doubled += "0]q\2h\1ah\1a0h\2q\1";
  refused(hand::beside_tensor(doubled), {"names and plain data of at most"});
  refused(hand::beside_tensor("]q\1h\1a"), {"at most 64 levels of nesting"});
  refused(hand::beside_tensor(repeated("N0", 2'200'000) + "N"), {"a pickle of at most 4194304 steps"});
  const std::string long_key = hand::text(std::string(100'000, 'k')) + "q\2" + "0";
  std::string many = long_key + "](";
  for (int i = 0; i < 50'000; ++i) many += "}h\2Ns";
  refused(hand::beside_tensor(many + "e"), {"names and plain data of at most"});
  std::string pairs = "](" + repeated("NN\x86", 2000) + "eq\1";
  for (int i = 0; i < 3'000; ++i) pairs += hand::global("collections", "OrderedDict") + "h\1\x85R0";
  refused(hand::beside_tensor(pairs), {"a pickle of at most 4194304 steps"});
}

}  // namespace
}  // namespace vaetl::pytorch_rules_test
