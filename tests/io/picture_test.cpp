// Every kind of picture against tests/parity/pictures.py, damaged ones, and archives of files.
#include "vaetl/io/picture.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/io/scratch.hpp"
#include "tests/support/archives.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/io/archive.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::picture_test {
namespace {

using testing::ArchiveFile;
using testing::ArchiveKind;
using testing::expect_error;
using testing::Scratch;
using testing::write_archive;

const std::map<std::string, at::Tensor>& reference() {
  static const TensorFile file = read_safetensors("tests/parity/pictures.safetensors");
  return file.tensors;
}

std::string file_of(const std::string& name) {
  const at::Tensor& bytes = reference().at(name + "/file");
  return {static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()};
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const auto& [key, values] : reference()) {
    if (key.ends_with("/file")) result.push_back(key.substr(0, key.size() - 5));
  }
  return result;
}

TEST(Picture, EveryKindAgreesWithItsReference) {
  EXPECT_EQ(names().size(), 26U);
  for (const auto& name : names()) {
    const std::string bytes = file_of(name);
    const at::Tensor& own = reference().at(name + "/own");
    const PictureInfo info = peek_picture(bytes, name);
    EXPECT_EQ((std::vector<std::int64_t>{info.channels, info.height, info.width}), own.sizes().vec()) << name;
    EXPECT_EQ(info.format, name.starts_with("png") ? "PNG" : "JPEG");
    EXPECT_TRUE(at::equal(decode_picture(bytes, name), own)) << name;
    EXPECT_TRUE(at::equal(decode_picture(bytes, name, {.channels = 3}), reference().at(name + "/rgb"))) << name;
    EXPECT_TRUE(at::equal(decode_picture(bytes, name, {.channels = 1}), reference().at(name + "/grey"))) << name;
    const at::Tensor rgba = decode_picture(bytes, name, {.channels = 4});
    EXPECT_TRUE(own.size(0) == 4 ? at::equal(rgba, own) : rgba[3].eq(255).all().item<bool>()) << name;
  }
}

TEST(Picture, OrientationsAreAllOneScene) {
  const at::Tensor upright = decode_picture(file_of("jpeg_exif_1"), "1");
  EXPECT_FALSE(at::equal(decode_picture(file_of("jpeg_exif_3"), "3"), upright));
  EXPECT_EQ(peek_picture(file_of("jpeg_exif_6"), "6").width, upright.size(1));
  EXPECT_EQ(decode_picture(file_of("jpeg_exif_8"), "8").size(1), upright.size(2));
}

TEST(Picture, DamagedIsRefusedWhereverItIsCut) {
  for (const char* name : {"png_rgb", "jpeg_420", "jpeg_progressive"}) {
    const std::string bytes = file_of(name);
    for (std::size_t keep = 0; keep < bytes.size(); keep += keep + 8 < bytes.size() ? 8 : 1) {
      expect_error<DataError>([&] { decode_picture(bytes.substr(0, keep), "cut"); }, {"cut: expected "});
    }
  }
  expect_error<DataError>([] { decode_picture(file_of("png_rgb").substr(0, 150), "a.png"); },
                          {"a.png: expected an intact PNG image, found \"the file ends early\""});
  const std::string jpeg = file_of("jpeg_444");
  expect_error<DataError>([&] { decode_picture(jpeg.substr(0, jpeg.size() - 20), "a.jpg"); },
                          {"a.jpg: expected an intact JPEG image, found \"Premature end of JPEG file\""});
}

TEST(Picture, BytesThatWereOverwritten) {
  for (const auto& name : {"png_palette_alpha", "jpeg_progressive", "jpeg_exif_5", "jpeg_cmyk"}) {
    const std::string bytes = file_of(name);
    for (std::size_t at = 2; at < bytes.size(); ++at) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 0x5a);
      try {
        const at::Tensor image = decode_picture(changed, name, {.channels = 3, .max_pixels = 100'000});
        EXPECT_LE(image.size(1) * image.size(2), 100'000);
      } catch (const DataError&) {
      }
    }
  }
}

TEST(Picture, WhatIsNoPicture) {
  auto found = [](std::string_view bytes, std::string_view text) {
    expect_error<DataError>([&] { decode_picture(bytes, "x"); },
                            {"x: expected a PNG or JPEG picture, found " + std::string(text)});
    expect_error<DataError>([&] { peek_picture(bytes, "x"); }, {text});
  };
  found("", "an empty file");
  found("hello, world\n", "text, \"hello, world");
  found("GIF89a", "a GIF");
  found("RIFF1234WEBPVP8 ", "a WebP picture");
  found(std::string_view("\x01\x02\x00\x03", 4), "the bytes 01 02 00 03");
}

TEST(Picture, SizeIsCheckedBeforePixelsAreRead) {
  // The header of 30000×30000 RGB, checksum and all, and nothing behind it.
  const std::string_view bomb(
      "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0\xe9\x45\x6f\xed"
      "\0\0\0\x10IDAT",
      41);
  expect_error<DataError>([&] { decode_picture(bomb, "bomb.png"); },
                          {"bomb.png: expected at most 67108864 pixels, found 30000×30000"});
  expect_error<DataError>([&] { peek_picture(bomb, "bomb.png"); }, {"found 30000×30000"});
  std::string jpeg = file_of("jpeg_444");
  const auto frame = jpeg.find("\xff\xc0");
  jpeg.replace(frame + 5, 4, std::string("\xff\0\xff\0", 4));
  expect_error<DataError>([&] { decode_picture(jpeg, "bomb.jpg"); }, {"at most 67108864 pixels, found 65280×65280"});
  EXPECT_NO_THROW(decode_picture(file_of("png_rgb"), "x", {.max_pixels = 130}));
  expect_error<DataError>([] { decode_picture(file_of("png_rgb"), "x", {.max_pixels = 129}); }, {"13×10"});
  expect_error<ConfigError>([] { decode_picture(file_of("png_rgb"), "x", {.channels = 2}); }, {"0, 1, 3 or 4"});
}

std::map<std::string, std::string> contents(const std::filesystem::path& path, const ArchiveLimits& limits = {}) {
  std::map<std::string, std::string> result;
  ArchiveReader archive(path, limits);
  for (ArchiveMember member; archive.next(member);) {
    std::string bytes = member.flaw;
    if (member.folder) {
      bytes = "folder";
    } else if (bytes.empty()) {
      if (auto problem = archive.read(bytes)) bytes = "bad: " + problem->expected;
    }
    result[member.name] = bytes;
  }
  return result;
}

TEST(Archive, ReadsEveryKind) {
  const Scratch scratch;
  const std::string large(300'000, 'x');
  for (const auto kind : {ArchiveKind::tar, ArchiveKind::tar_gz, ArchiveKind::tar_xz, ArchiveKind::zip}) {
    write_archive(scratch / "a", kind, {{"top/"}, {"./top/one.txt", "1"}, {"top/large", large}, {"empty", ""}});
    const std::map<std::string, std::string> expected = {
        {"top", "folder"}, {"top/one.txt", "1"}, {"top/large", large}, {"empty", ""}};
    EXPECT_EQ(contents(scratch / "a"), expected);
  }
}

TEST(Archive, LinksAndNamesThatLeadOut) {
  const Scratch scratch;
  write_archive(scratch / "a.tar", ArchiveKind::tar,
                {{"link", "", "/etc/passwd"}, {"../out", "x"}, {"/abs", "x"}, {"a/../../b", "x"}, {"a/../b", "y"}});
  const std::map<std::string, std::string> expected = {{"link", "a link"},
                                                       {"../out", "a name that leads out of the archive"},
                                                       {"/abs", "a name that leads out of the archive"},
                                                       {"a/../../b", "a name that leads out of the archive"},
                                                       {"b", "y"}};
  EXPECT_EQ(contents(scratch / "a.tar"), expected);
}

TEST(Archive, LimitsHold) {
  const Scratch scratch;
  write_archive(scratch / "a.zip", ArchiveKind::zip, {{"large", std::string(5000, 'x')}, {"small", "1"}});
  EXPECT_EQ(contents(scratch / "a.zip", {.member_bytes = 4999}).at("large"), "bad: at most 4999 bytes");
  EXPECT_EQ(contents(scratch / "a.zip", {.member_bytes = 5000}).at("large").size(), 5000U);
  expect_error<DataError>([&] { contents(scratch / "a.zip", {.total_bytes = 5000}); },
                          {"a.zip: expected at most 5000 bytes in the archive, found more; unpack it into a folder"});
  expect_error<DataError>([&] { contents(scratch / "a.zip", {.members = 1}); }, {"at most 1 members"});
}

TEST(Archive, DamageIsTold) {
  const Scratch scratch;
  write_archive(scratch / "a.tar.xz", ArchiveKind::tar_xz, {{"one", std::string(1000, 'x')}, {"two", "2"}});
  const std::string whole = testing::bytes_of(scratch / "a.tar.xz");
  scratch.put("cut.tar.xz", whole.substr(0, whole.size() / 2));
  expect_error<DataError>([&] { contents(scratch / "cut.tar.xz"); }, {"cut.tar.xz: expected "});
  write_archive(scratch / "b.tar", ArchiveKind::tar,
                {{"one", std::string(1000, 'x')}, {"two", std::string(2000, 'y')}});
  scratch.put("cut.tar", testing::bytes_of(scratch / "b.tar").substr(0, 2400));
  expect_error<DataError>([&] { contents(scratch / "cut.tar"); }, {"cut.tar: expected an intact archive, found "});
  scratch.put("text", "no archive at all");
  expect_error<DataError>([&] { contents(scratch / "text"); }, {"text: expected an archive (tar or zip"});
  scratch.put("none", "");
  expect_error<DataError>([&] { contents(scratch / "none"); }, {"none: expected an archive, found an empty file"});
  expect_error<DataError>([&] { contents(scratch / "absent"); }, {"absent: expected a readable file"});
  expect_error<DataError>([&] { contents(scratch.folder()); }, {"found a folder"});
}

TEST(Archive, OneCompressedFile) {
  const Scratch scratch;
  write_archive(scratch / "a.xz", ArchiveKind::raw_xz, {{"data", "content"}});
  EXPECT_EQ(read_unpacked(scratch / "a.xz", 7), "content");
  EXPECT_EQ(read_unpacked(scratch.put("plain", "content"), 7), "content");
  expect_error<DataError>([&] { read_unpacked(scratch / "a.xz", 6); }, {"a.xz: expected at most 6 bytes of data"});
  const std::string whole = testing::bytes_of(scratch / "a.xz");
  scratch.put("cut.xz", whole.substr(0, whole.size() - 20));
  expect_error<DataError>([&] { read_unpacked(scratch / "cut.xz", 100); }, {"cut.xz: expected an intact compressed"});
}

}  // namespace
}  // namespace vaetl::picture_test
