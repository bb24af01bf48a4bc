#include "vaetl/io/safetensors.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/io/scratch.hpp"
#include "tests/io/tensor_files.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"

namespace vaetl::safetensors_test {
namespace {

using testing::bytes_of;
using testing::exchange_tensors;
using testing::expect_error;
using testing::expect_same;
using testing::Scratch;
using Tensors = std::map<std::string, at::Tensor>;
using Metadata = std::map<std::string, std::string>;

Tensors round_trip(const Tensors& tensors) {
  const Scratch scratch;
  write_safetensors(scratch / "a.safetensors", tensors);
  return read_safetensors(scratch / "a.safetensors").tensors;
}

TEST(Safetensors, EveryDtypeAndShape) { expect_same(round_trip(exchange_tensors()), exchange_tensors()); }

TEST(Safetensors, NothingAtAll) {
  const Scratch scratch;
  write_safetensors(scratch / "a", {});
  EXPECT_EQ(bytes_of(scratch / "a"), std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
  EXPECT_TRUE(read_safetensors(scratch / "a").tensors.empty());
}

TEST(Safetensors, MetadataOfAnyText) {
  const Scratch scratch;
  const Metadata metadata = {
      {"format", "pt"}, {"", ""}, {"ключ", "\"quotes\"\n\tand \\"}, {"nul", std::string("a\0b", 3)}};
  write_safetensors(scratch / "a", {{"x", at::ones({2})}}, metadata);
  EXPECT_EQ(read_safetensors(scratch / "a").metadata, metadata);
}

// The bytes are a contract: checksums of zoo entries rest on them.
TEST(Safetensors, BytesAreFixed) {
  const Scratch scratch;
  write_safetensors(scratch / "a", {{"b", at::full({1}, 1.0f)}, {"a", at::full({2}, 2, at::kByte)}}, {{"k", "v"}});
  const std::string header = R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                             R"("a":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}     )";
  EXPECT_EQ(bytes_of(scratch / "a"), std::string("\x88\0\0\0\0\0\0\0", 8) + header + std::string("\0\0\x80?\2\2", 6));
}

TEST(Safetensors, ViewsAreWrittenAsTheyLook) {
  const auto base = at::arange(24, at::kFloat).view({2, 3, 4});
  const Tensors tensors = {{"base", base},
                           {"expanded", at::full({1}, 7.0f).expand({3, 2})},
                           {"negated", at::imag(at::conj(at::complex(base, base)))},
                           {"requires_grad", at::ones({2}).requires_grad_()},
                           {"same", base},
                           {"slice", base.slice(2, 1, 4, 2)},
                           {"transposed", base.transpose(0, 2)}};
  const auto loaded = round_trip(tensors);
  for (const auto& [name, tensor] : tensors) {
    EXPECT_TRUE(at::equal(loaded.at(name), tensor.detach())) << name;
    EXPECT_TRUE(loaded.at(name).is_contiguous()) << name;
    EXPECT_FALSE(loaded.at(name).requires_grad()) << name;
  }
}

TEST(Safetensors, EveryTensorIsAligned) {
  for (const auto& [name, tensor] : round_trip(exchange_tensors())) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data_ptr()) % tensor.element_size(), 0u) << name;
  }
}

TEST(Safetensors, HeaderAlone) {
  const Scratch scratch;
  write_safetensors(scratch / "a", {{"w", at::zeros({2, 3}, at::kHalf)}, {"s", at::zeros({}, at::kLong)}},
                    {{"k", "v"}});
  const auto header = read_safetensors_header(scratch / "a");
  ASSERT_EQ(header.tensors.size(), 2u);
  EXPECT_EQ(header.tensors.at("w").dtype, at::kHalf);
  EXPECT_EQ(header.tensors.at("w").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(header.tensors.at("s").shape.empty());
  EXPECT_EQ(header.metadata.at("k"), "v");
  EXPECT_EQ(header.data_size, 8u + 12u);
  EXPECT_EQ(header.data_start + header.data_size, std::filesystem::file_size(scratch / "a"));
}

TEST(Safetensors, WritingToATensorNeverReachesTheFile) {
  const Scratch scratch;
  write_safetensors(scratch / "a", {{"x", at::ones({1000})}});
  const std::string before = bytes_of(scratch / "a");
  auto first = read_safetensors(scratch / "a").tensors.at("x");
  const auto second = read_safetensors(scratch / "a").tensors.at("x");
  first.fill_(5);
  EXPECT_TRUE(at::equal(first, at::full({1000}, 5.0f)));
  EXPECT_TRUE(at::equal(second, at::ones({1000})));
  EXPECT_EQ(bytes_of(scratch / "a"), before);
}

TEST(Safetensors, ATensorOutlivesItsFile) {
  const Scratch scratch;
  write_safetensors(scratch / "a", {{"x", at::arange(100'000)}, {"y", at::ones({2})}});
  const auto kept = read_safetensors(scratch / "a").tensors.at("x").slice(0, 50'000);
  write_safetensors(scratch / "a", {{"x", at::zeros({1})}});
  std::filesystem::remove(scratch / "a");
  EXPECT_TRUE(at::equal(kept, at::arange(50'000, 100'000)));
}

TEST(Safetensors, UnalignedDataAreCopied) {
  const Scratch scratch;
  const auto path = scratch.put("a", testing::tensor_file(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                                          R"("f":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})",
                                                          std::string("\x07\0\0\x80?\0\0\0\x40", 9)));
  const auto file = read_safetensors(path);
  EXPECT_TRUE(at::equal(file.tensors.at("f"), at::tensor({1.0f, 2.0f})));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.tensors.at("f").data_ptr()) % 4, 0u);
}

TEST(Safetensors, WhatTheFormatCannotHold) {
  const Scratch scratch;
  const auto path = scratch / "a";
  auto refused = [&](const Tensors& tensors, const Metadata& metadata, std::initializer_list<std::string_view> parts) {
    expect_error<FileError>([&] { write_safetensors(path, tensors, metadata); }, parts);
  };
  const auto x = at::ones({2});
  refused({{"c", at::ones({2}, at::kComplexFloat)}}, {}, {path.string(), "tensor \"c\"", "found ComplexFloat"});
  refused({{"q", at::ones({2}, at::kFloat8_e5m2)}}, {}, {"tensor \"q\"", "F64, F32, F16", "found Float8_e5m2"});
  refused({{"u", at::Tensor()}}, {}, {"tensor \"u\"", "found an undefined one"});
  refused({{"s", x.to_sparse()}}, {}, {"tensor \"s\"", "found a sparse one"});
  refused({{"m", at::empty({2}, at::TensorOptions(at::kMeta))}}, {}, {"tensor \"m\"", "on the meta device"});
  refused({{"", x}}, {}, {"expected tensors with names of their own, found \"\""});
  refused({{"__metadata__", x}}, {}, {"found \"__metadata__\""});
  refused({{"\xff", x}}, {}, {"expected names and metadata in UTF-8"});
  refused({{"x", x}}, {{"k", "\xc3"}}, {"expected names and metadata in UTF-8"});
  EXPECT_TRUE(scratch.names().empty()) << "a refused file must not be begun";
  expect_error<OutputError>([&] { write_safetensors(scratch / "absent/a", {{"x", x}}); }, {"absent/a"});
}

TEST(Safetensors, AFailedWriteLeavesTheOldFile) {
  const Scratch scratch;
  write_safetensors(scratch / "a", {{"x", at::ones({2})}});
  const std::string before = bytes_of(scratch / "a");
  EXPECT_THROW(write_safetensors(scratch / "a", {{"x", at::Tensor()}}), FileError);
  EXPECT_EQ(bytes_of(scratch / "a"), before);
}

}  // namespace
}  // namespace vaetl::safetensors_test
