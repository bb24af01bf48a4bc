// Every rule of the format, each broken by one file.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/io/scratch.hpp"
#include "tests/io/tensor_files.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::safetensors_rules_test {
namespace {

using testing::expect_error;
using testing::Scratch;
using testing::tensor_file;

struct Breach {
  std::string name;
  std::string header;
  std::size_t data_bytes;
  std::string message;
};

std::ostream& operator<<(std::ostream& out, const Breach& breach) { return out << breach.header.substr(0, 200); }

std::string entry(const std::string& fields) { return "{\"a\":{" + fields + "}}"; }

std::string with(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return entry("\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets);
}

const std::string a_u8 = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";

class SafetensorsRules : public ::testing::TestWithParam<Breach> {};

TEST_P(SafetensorsRules, IsRefused) {
  const Scratch scratch;
  const auto path =
      scratch.put("a.safetensors", tensor_file(GetParam().header, std::string(GetParam().data_bytes, '\2')));
  expect_error<FileError>([&] { read_safetensors(path); }, {path.string() + ": ", GetParam().message});
  if (GetParam().name == "BoolByte") return;  // the one rule about values, which the header alone cannot break
  expect_error<FileError>([&] { read_safetensors_header(path); }, {path.string() + ": ", GetParam().message});
}

std::vector<Breach> structure() {
  return {
      {"EmptyHeader", "", 0, "expected a header that begins with '{', found \"\""},
      {"LeadingSpace", " {}", 0, "expected a header that begins with '{', found \" \""},
      {"ByteOrderMark", "\xef\xbb\xbf{}", 0, "expected a header that begins with '{'"},
      {"AnArray", "[]", 0, "expected a header that begins with '{', found \"[\""},
      {"TrailingNewline", "{}\n", 0, "expected a header that ends with '}' and spaces, found byte 0x0a"},
      {"TrailingZero", std::string("{}\0", 3), 0, "expected a header that ends with '}' and spaces, found byte 0x00"},
      {"TwoObjects", "{}{}", 0, "expected a header of valid UTF-8 JSON, found a mistake at byte 3 of it"},
      {"NotJson", "{a}", 0, "expected a header of valid UTF-8 JSON, found a mistake at byte 2 of it"},
      {"Comment", "{/**/}", 0, "expected a header of valid UTF-8 JSON"},
      {"TrailingComma", "{" + a_u8 + ",}", 4, "expected a header of valid UTF-8 JSON"},
      {"NotUtf8", "{\"\xff\":{}}", 0, "expected a header of valid UTF-8 JSON"},
      {"LoneSurrogate", R"({"\ud800":{}})", 0, "expected a header of valid UTF-8 JSON"},
      {"HugeNumber", with("\"U8\"", "[1e999]", "[0,4]"), 4, "expected a header of valid UTF-8 JSON"},
      {"Unclosed", R"({"__metadata__":{})", 0, "expected a header of valid UTF-8 JSON"},
      {"DuplicateTensor", "{" + a_u8 + "," + a_u8 + "}", 4, "expected each tensor once, found \"a\" twice"},
      {"DuplicateAfterEscape", "{" + a_u8 + R"(,"\u0061":{}})", 4, "expected each tensor once, found \"a\" twice"},
      {"DuplicateField", entry(R"("dtype":"U8","dtype":"U8")"), 0, "tensor \"a\": expected dtype once, found it twice"},
      {"DuplicateMetadata", R"({"__metadata__":{},"__metadata__":{}})", 0,
       "expected __metadata__ once, found it twice"},
      {"DuplicateMetadataKey", R"({"__metadata__":{"k":"1","k":"2"}})", 0,
       "expected each key of __metadata__ once, found \"k\" twice"},
      {"EmptyName", R"({"":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4,
       "expected tensors with names, found an empty name"},
      {"TensorIsNumber", R"({"a":3})", 0, "tensor \"a\": expected an object, found 3"},
      {"TensorIsNull", R"({"a":null})", 0, "tensor \"a\": expected an object, found null"},
      {"TensorIsArray", R"({"a":[]})", 0, "tensor \"a\": expected an object, found an array"},
      {"MetadataIsNull", R"({"__metadata__":null})", 0, "__metadata__: expected an object, found null"},
      {"MetadataIsArray", R"({"__metadata__":[]})", 0, "__metadata__: expected an object, found an array"},
      {"MetadataNumber", R"({"__metadata__":{"k":1}})", 0, "expected a string for \"k\" of __metadata__, found 1"},
      {"MetadataBoolean", R"({"__metadata__":{"k":true}})", 0,
       "expected a string for \"k\" of __metadata__, found a boolean"},
      {"MetadataNested", R"({"__metadata__":{"k":{}}})", 0,
       "expected a string for \"k\" of __metadata__, found an object"},
      {"DeepNesting", R"({"a":)" + std::string(200'000, '[') + std::string(200'000, ']') + "}", 0,
       "tensor \"a\": expected an object, found an array"},
      {"DeepMetadata", R"({"__metadata__":{"k":)" + std::string(200'000, '[') + "}", 0,
       "expected a string for \"k\" of __metadata__, found an array"},
  };
}

std::vector<Breach> fields() {
  return {
      {"NoFields", R"({"a":{}})", 0, "tensor \"a\": expected dtype, shape and data_offsets, found no dtype"},
      {"NoShape", entry(R"("dtype":"U8","data_offsets":[0,4])"), 4, "data_offsets, found no shape"},
      {"NoOffsets", entry(R"("dtype":"U8","shape":[4])"), 4, "data_offsets, found no data_offsets"},
      {"ExtraField", entry(R"("dtype":"U8","stride":[1])"), 4,
       "tensor \"a\": expected only dtype, shape and data_offsets, found the key \"stride\""},
      {"UnknownDtype", with("\"F7\"", "[4]", "[0,4]"), 4,
       "tensor \"a\": expected a dtype out of F64, F32, F16, BF16, "
       "I64, I32, I16, I8, U8, BOOL, found \"F7\""},
      {"DtypeF8", with("\"F8_E4M3\"", "[4]", "[0,4]"), 4, "tensor \"a\": expected a dtype out of F64"},
      {"DtypeU16", with("\"U16\"", "[2]", "[0,4]"), 4, "U8, BOOL, found \"U16\""},
      {"DtypeF4", with("\"F4\"", "[8]", "[0,4]"), 4, "U8, BOOL, found \"F4\""},
      {"DtypeLowerCase", with("\"u8\"", "[4]", "[0,4]"), 4, "U8, BOOL, found \"u8\""},
      {"DtypeNumber", with("8", "[4]", "[0,4]"), 4, "tensor \"a\": expected dtype as a string, found 8"},
      {"DtypeArray", with("[\"U8\"]", "[4]", "[0,4]"), 4, "expected dtype as a string, found an array"},
      {"ShapeNumber", with("\"U8\"", "4", "[0,4]"), 4, "tensor \"a\": expected shape as an array, found 4"},
      {"ShapeNegative", with("\"U8\"", "[-4]", "[0,4]"), 4, "expected shape of whole numbers from 0, found -4"},
      {"ShapeFloat", with("\"U8\"", "[4.0]", "[0,4]"), 4, "expected shape of whole numbers from 0, found \"4.0\""},
      {"ShapeString", with("\"U8\"", "[\"4\"]", "[0,4]"), 4, "whole numbers from 0, found the string \"4\""},
      {"ShapeNested", with("\"U8\"", "[[4]]", "[0,4]"), 4, "expected shape of whole numbers from 0, found an array"},
      {"ShapeTooLarge", with("\"U8\"", "[9223372036854775808]", "[0,4]"), 4,
       "expected dimensions up to 9223372036854775807, found 9223372036854775808"},
      {"ShapeManyDimensions",
       with(
           "\"U8\"",
           "[1" +
               [] {
                 std::string ones;
                 for (int i = 0; i < 64; ++i) ones += ",1";
                 return ones;
               }() +
               "]",
           "[0,1]"),
       1, "tensor \"a\": expected at most 64 dimensions, found more"},
      {"OffsetsString", with("\"U8\"", "[4]", "\"0,4\""), 4, "expected data_offsets as an array, found the string"},
      {"OffsetsOne", with("\"U8\"", "[4]", "[0]"), 4, "tensor \"a\": expected data_offsets of 2 numbers, found 1"},
      {"OffsetsThree", with("\"U8\"", "[4]", "[0,4,4]"), 4, "expected data_offsets of 2 numbers, found more"},
      {"OffsetsNegative", with("\"U8\"", "[4]", "[-1,3]"), 4, "data_offsets of whole numbers from 0, found -1"},
      {"OffsetsMinusZero", with("\"U8\"", "[4]", "[-0,4]"), 4, "data_offsets of whole numbers from 0, found -0"},
  };
}

std::vector<Breach> layout() {
  const std::string next = R"(,"b":{"dtype":"U8","shape":[2],"data_offsets":)";
  return {
      {"Reversed", with("\"U8\"", "[4]", "[4,0]"), 4,
       "tensor \"a\": expected data_offsets that do not decrease, found [4, 0]"},
      {"Outside", with("\"U8\"", "[5]", "[0,5]"), 4,
       "tensor \"a\": expected data_offsets within the 4 bytes of data, found [0, 5]"},
      {"OffsetsAtTheLimit", with("\"U8\"", "[4]", "[18446744073709551611,18446744073709551615]"), 4,
       "expected data_offsets within the 4 bytes of data, found [18446744073709551611, 18446744073709551615]"},
      {"SizeTooSmall", with("\"F32\"", "[2,3]", "[0,20]"), 20,
       "tensor \"a\": expected 24 bytes for F32 [2, 3], found 20 by data_offsets [0, 20]"},
      {"SizeTooLarge", with("\"F16\"", "[]", "[0,4]"), 4,
       "tensor \"a\": expected 2 bytes for F16 [], found 4 by data_offsets [0, 4]"},
      {"EmptyWithData", with("\"U8\"", "[0]", "[0,4]"), 4, "expected 0 bytes for U8 [0], found 4"},
      {"Exabytes", with("\"F32\"", "[1152921504606846976]", "[0,4]"), 4,
       "expected 4611686018427387904 bytes for F32 [1152921504606846976], found 4 by"},
      {"Overflow", with("\"F64\"", "[4294967296,4294967296]", "[0,4]"), 4,
       "expected a size up to 9223372036854775807 bytes, found more for F64 [4294967296, 4294967296]"},
      {"OverflowToZero", with("\"U8\"", "[4294967296,4294967296]", "[0,0]"), 0, "found more for U8"},
      {"OverflowBesideZero", with("\"U8\"", "[0,9223372036854775807,9223372036854775807]", "[0,0]"), 0,
       "found more for U8"},
      {"HoleAtTheStart", with("\"U8\"", "[3]", "[1,4]"), 4,
       "tensor \"a\": expected data from byte 0 on (no hole), found 1"},
      {"HoleBetween", "{" + a_u8 + next + "[5,7]}}", 7,
       "tensor \"b\": expected data from byte 4 on (no hole), found 5"},
      {"Overlap", "{" + a_u8 + next + "[3,5]}}", 5, "tensor \"b\": expected data from byte 4 on (no overlap), found 3"},
      {"SharedBytes", "{" + a_u8 + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4,
       "expected data from byte 4 on (no overlap), found 0"},
      {"EmptyWithinAnother", "{" + a_u8 + R"(,"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})", 4,
       "tensor \"b\": expected data from byte 4 on (no overlap), found 2"},
      {"Uncovered", "{" + a_u8 + "}", 6, "expected tensors that cover all 6 bytes of data, found 4"},
      {"DataWithoutTensors", "{}", 1, "expected tensors that cover all 1 bytes of data, found 0"},
      {"BoolByte", with("\"BOOL\"", "[4]", "[0,4]"), 4,
       "tensor \"a\": expected BOOL bytes of 0 or 1, found 2 at byte 0 of the tensor"},
  };
}

auto name_of = [](const auto& breach) { return breach.param.name; };
INSTANTIATE_TEST_SUITE_P(Structure, SafetensorsRules, ::testing::ValuesIn(structure()), name_of);
INSTANTIATE_TEST_SUITE_P(Fields, SafetensorsRules, ::testing::ValuesIn(fields()), name_of);
INSTANTIATE_TEST_SUITE_P(Layout, SafetensorsRules, ::testing::ValuesIn(layout()), name_of);

TEST(SafetensorsFile, RulesAboutTheFileItself) {
  const Scratch scratch;
  auto refused = [&](std::string_view bytes, std::string_view message) {
    const auto path = scratch.put("a", bytes);
    expect_error<FileError>([&] { read_safetensors(path); }, {path.string() + ": ", message});
  };
  using namespace std::string_view_literals;
  refused("", "expected at least 8 bytes, the size of the header, found 0");
  refused("\2\0\0\0\0\0\0"sv, "expected at least 8 bytes, the size of the header, found 7");
  refused("\3\0\0\0\0\0\0\0{}"sv, "expected a header of 3 bytes, found a file with 2 after the size");
  refused("\0\xe1\xf5\5\0\0\0\0{}"sv, "expected a header of 100000000 bytes, found a file with 2 after the size");
  refused("\1\xe1\xf5\5\0\0\0\0{}"sv, "expected a header of at most 100000000 bytes, found 100000001");
  refused("\xff\xff\xff\xff\xff\xff\xff\xff{}"sv,
          "expected a header of at most 100000000 bytes, found 18446744073709551615");
  expect_error<FileError>([&] { read_safetensors(scratch / "absent"); },
                          {(scratch / "absent").string(), "expected a readable file, found \"No such file"});
  expect_error<FileError>([&] { read_safetensors(scratch.folder()); }, {"expected a regular file, found a folder"});
  expect_error<FileError>([&] { read_safetensors("/dev/null"); },
                          {"expected a regular file, found a device or a pipe"});
}

TEST(SafetensorsFile, WhatTheRulesAllow) {
  const Scratch scratch;
  auto accepted = [&](const std::string& header, std::size_t bytes, std::size_t tensors) {
    const auto path = scratch.put("a", tensor_file(header, std::string(bytes, '\1')));
    EXPECT_EQ(read_safetensors(path).tensors.size(), tensors) << header;
  };
  accepted("{}", 0, 0);
  accepted("{\n}   ", 0, 0);
  accepted(R"({"__metadata__":{}})", 0, 0);
  accepted("{" + a_u8 + R"(,"b":{"dtype":"U8","shape":[0,9],"data_offsets":[4,4]}})", 4, 2);
  accepted("{" + a_u8 + R"(,"b":{"shape":[0],"data_offsets":[0,0],"dtype":"F64"}})", 4, 2);
  accepted(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]},)" + a_u8 + "}", 5, 2);
  accepted(with("\"BOOL\"", "[2,2]", "[0,4]"), 4, 1);
}

// Whoever believes the header would take 4 EiB, or 100 MB for the header itself.
TEST(SafetensorsFile, ALyingHeaderTakesNoMemory) {
  auto peak_kib = [] {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line)) {
      if (line.starts_with("VmPeak:")) return std::stol(line.substr(7));
    }
    return 0L;
  };
  const Scratch scratch;
  const auto size = scratch.put("size", std::string("\0\xe1\xf5\5\0\0\0\0{}", 10));
  const auto shape = scratch.put("shape", tensor_file(with("\"F32\"", "[1152921504606846976]", "[0,4]"), "1234"));
  EXPECT_THROW(read_safetensors(size), FileError);  // once before, so that the message itself has its memory
  const long before = peak_kib();
  EXPECT_THROW(read_safetensors(size), FileError);
  EXPECT_THROW(read_safetensors(shape), FileError);
  EXPECT_LT(peak_kib() - before, 1024);
}

TEST(SafetensorsFile, LongNamesAreCutInMessages) {
  const Scratch scratch;
  std::string name;
  for (int i = 0; i < 10'000; ++i) name += "é";
  const auto path = scratch.put("a", tensor_file("{\"x" + name + "\":3}", ""));
  try {
    read_safetensors(path);
    FAIL() << "nothing was thrown";
  } catch (const FileError& error) {
    EXPECT_LT(std::string(error.what()).size(), 400u);
    EXPECT_NE(std::string(error.what()).find("é…\""), std::string::npos) << error.what();
  }
}

TEST(SafetensorsFile, TwoHundredThousandTensorsDoNotTakeQuadraticTime) {
  const Scratch scratch;
  std::string header = "{";
  for (int i = 0; i < 200'000; ++i) {
    header += fmt::format(R"({}"t{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", i == 0 ? "" : ",", i);
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(read_safetensors_header(scratch.put("a", tensor_file(header + "}", ""))).tensors.size(), 200'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));  // a linear search takes minutes
}

}  // namespace
}  // namespace vaetl::safetensors_rules_test
