// The file around the streams; what becomes of files of pictures is in tests/apps/test_compress_app.py.
#include "vaetl/recipe/compress.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::testing::compress_test {
namespace {

using recipe::CompressedFile;

Pretrained pretrained(std::uint64_t of = 5) {
  seed(of);
  Pretrained result{
      .model = build({"vae", {{"input", {1, 4, 4}}, {"widths", {8}}, {"latent", 2}, {"likelihood", "beta_binomial"}}})};
  result.model->eval();
  result.card.weights.sha256 = std::string(63, 'a') + std::to_string(of);
  return result;
}

recipe::StoredPictures pictures(std::int64_t count) {
  auto random = make_generator(1);
  return {at::randint(0, 256, {count, 4, 4}, random, at::TensorOptions(at::kByte))};
}

// As whoever wants to mislead would write it.
std::string rewritten(const std::string& bytes, const std::function<void(CompressedFile&)>& change) {
  CompressedFile file = recipe::unpacked(bytes, "f");
  change(file);
  return recipe::packed(file);
}

void expect_refused(const std::string& bytes, Exit code, const std::string& part) {
  try {
    recipe::decompress(pretrained(), recipe::unpacked(bytes, "f.bb"));
    ADD_FAILURE() << "taken: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code, code) << error.what();
    EXPECT_TRUE(std::string(error.what()).starts_with("f.bb: expected ")) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Compress, GivesBackTheArrayAsItWas) {
  const auto given = pictures(200);
  const std::string bytes = recipe::compress(pretrained(), given);
  EXPECT_EQ(recipe::compress(pretrained(), given), bytes);
  const auto back = recipe::decompress(pretrained(), recipe::unpacked(bytes, "f.bb"));
  EXPECT_TRUE(at::equal(back.values, given.values));
  EXPECT_TRUE(back.names.empty());
}

TEST(Compress, EveryDamageIsFound) {
  const std::string bytes = recipe::compress(pretrained(), pictures(3));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string spoilt = bytes;
    spoilt[i] = static_cast<char>(spoilt[i] ^ 4);
    expect_refused(spoilt, Exit::data, "");
    expect_refused(bytes.substr(0, i), Exit::data, "");
  }
  expect_refused("", Exit::data, "a file that vaetl-compress wrote");
  expect_refused(bytes + "x", Exit::data, "the file is damaged");
}

TEST(Compress, WhatTheHeaderSaysIsChecked) {
  const std::string bytes = recipe::compress(pretrained(), pictures(3));
  const auto refused = [&](Exit code, const std::string& part, const std::function<void(CompressedFile&)>& change) {
    expect_refused(rewritten(bytes, change), code, part);
  };
  refused(Exit::data, "pixels", [](auto& file) { file.header.shape = {3, 4, 5}; });
  refused(Exit::data, "header", [](auto& file) { file.header.shape = {3, -4, -4}; });
  refused(Exit::data, "pixels", [](auto& file) { file.header.shape = {1000000000000, 4, 4}; });
  refused(Exit::data, "pixels", [](auto& file) { file.header.shape = {}; });
  refused(Exit::data, "streams", [](auto& file) { file.header.words[0] += 1; });
  refused(Exit::data, "streams", [](auto& file) { file.header.words.clear(); });
  refused(Exit::data, "streams", [](auto& file) { file.header.shape[0] = 400; });
  refused(Exit::data, "coded numbers", [](auto& file) { file.streams[0].assign(file.streams[0].size(), 0); });
  refused(Exit::file, "the pixels that it was made of",
          [](auto& file) { file.streams[0][file.streams[0].size() / 2] ^= 1U; });
  for (const std::string name : {"../up.png", "a/b.png", ".png", "c.txt"}) {
    refused(Exit::data, "a name FILE.png", [&](auto& file) { file.header.names = {"a.png", "b.png", name}; });
  }
  refused(Exit::data, "a name FILE.png", [](auto& file) { file.header.names = {"a.png", "b.png", "a.png"}; });
}

TEST(Compress, OtherWeightsAndMachinesAreRefused) {
  const std::string bytes = recipe::compress(pretrained(), pictures(3));
  expect_refused(recipe::compress(pretrained(6), pictures(3)), Exit::file, "name the same model");
  const auto refused = [&](const std::string& part, const std::function<void(CompressedFile&)>& change) {
    expect_refused(rewritten(bytes, change), Exit::file, part);
  };
  refused("LibTorch \"1.0\"", [](auto& file) { file.header.torch = "1.0"; });
  refused("a processor with \"VECTOR\"", [](auto& file) { file.header.processor = "VECTOR"; });
  refused("the same numbers", [](auto& file) { file.header.fingerprint = std::string(64, '0'); });
}

TEST(Compress, FormsOfOutput) {
  EXPECT_NO_THROW(recipe::check_restored_form("a.npy", {7, 3}));
  EXPECT_NO_THROW(recipe::check_restored_form("a/", {7, 3, 4, 4}));
  EXPECT_NO_THROW(recipe::check_restored_form("a.png", {1, 4, 4}));
  const auto refused = [](const std::string& out, const std::vector<std::int64_t>& shape, const std::string& part) {
    expect_error<ConfigError>([&] { recipe::check_restored_form(out, shape); }, {"--out: expected ", part});
  };
  refused("a.jpg", {1, 4, 4}, "FILE.npy, FOLDER/ or FILE.png");
  refused("a.png", {2, 4, 4}, "as there are 2 pictures");
  refused("a/", {2, 5, 4, 4}, "as these are no pictures");
  refused("a/", {2, 16}, "as these are no pictures");
}

}  // namespace
}  // namespace vaetl::testing::compress_test
