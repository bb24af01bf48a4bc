// NumPy's files: those that it wrote itself (tests/parity/npy.py), cut and damaged ones, and ours.
#include "vaetl/io/npy.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>

#include "scratch.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/io/gzip.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::npy_test {
namespace {

using testing::bytes_of;
using testing::expect_error;
using testing::Scratch;

const TensorFile& reference() {
  static const TensorFile file = read_safetensors("tests/parity/npy.safetensors");
  return file;
}

std::string bytes(const std::string& name) {
  const at::Tensor values = reference().tensors.at(name);
  return {static_cast<const char*>(values.const_data_ptr()), values.nbytes()};
}

// A header with the values behind it.
std::string npy(const std::string& header, const std::string& values, char version = 1) {
  std::string text = "\x93NUMPY";
  text += {version, 0, static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  if (version > 1) text += std::string(2, '\0');
  return text + header + values;
}

TEST(Npy, EveryTypeOrderAndVersion) {
  const Scratch scratch;
  std::int64_t seen = 0;
  for (const auto& [name, value] : reference().tensors) {
    if (!name.starts_with("value.")) continue;
    const at::Tensor read = read_npy(scratch.put("a.npy", bytes("file." + name.substr(6))));
    const bool small = name.starts_with("value.u2");  // safetensors files of ours hold no uint16
    EXPECT_EQ(read.scalar_type(), small ? at::kUInt16 : value.scalar_type()) << name;
    EXPECT_TRUE(read.is_contiguous() && at::equal(read.to(value.scalar_type()), value)) << name;
    ++seen;
  }
  EXPECT_EQ(seen, 11 * 4 + 7);
  EXPECT_TRUE(at::equal(read_npy(scratch.put("a.npy", gzip_compress(bytes("file.f4.big.f")))),
                        reference().tensors.at("value.f4.big.f")));
}

TEST(Npy, RefusesByName) {
  const Scratch scratch;
  auto refused = [&](const std::string& file, std::initializer_list<std::string_view> parts) {
    expect_error<DataError>([&] { read_npy(scratch.put("a.npy", file)); }, parts);
  };
  for (const char* kind : {"strings", "records", "complex numbers", "times"}) {
    refused(bytes(std::string("refused.") + kind), {"a.npy", "numbers: bool", kind});
  }
  refused(bytes("refused.objects"), {"an array of Python objects", "save the array with another dtype"});
  const std::string shape = "'fortran_order': False, 'shape': ";
  refused(npy("{'descr': '<f4', " + shape + "(4000000000, 4000000000, 4000000000)}", ""), {"fits 63 bits"});
  refused(npy("{'descr': '<f4', " + shape + "(0, 4000000000, 4000000000, 4000000000)}", ""), {"fits 63 bits"});
  refused(npy("{'descr': '<f4', " + shape + "(1000000000,)}", "abcd"), {"4000000", "its header says (1000000000)"});
  refused(npy("{'descr': '<f4', " + shape + "(-1,)}", ""), {"a dimension from 0"});
  refused(npy("{'descr': '<f4', " + shape + "(3)}", ""), {"a comma, as in (3,)"});
  refused(npy("{'descr': '<f4', " + shape + "(1,), 'x': 1}", "abcd"), {"each of descr, fortran_order, shape once"});
  refused(npy("{'descr': '<f4', 'descr': '<f4'}", ""), {"once"});
  refused(npy("{'descr': '<f4', 'shape': (1,)}", "abcd"), {"the key fortran_order"});
  refused(npy("{'descr': __import__('os'), " + shape + "(1,)}", "abcd"), {"a text in quotes"});
  refused(npy("{'descr': '<f4', " + shape + "(1,)} + 1", "abcd"), {"the end of the header"});
  refused(npy("{'descr': '<f3', " + shape + "(1,)}", "abcd"), {"the type \"f3\""});
  refused(npy("{}", "", 4), {"the .npy format 1, 2 or 3", "4.0"});
  refused("PK\x03\x04 and more than ten bytes", {"beginning with \\x93NUMPY", "50 4b 03 04"});
  refused(bytes("file.one") + "x", {"168 bytes", "169"});
  expect_error<DataError>([&] { read_npy(scratch / "none.npy"); }, {"none.npy", "No such file"});
}

TEST(Npy, CutAnywhereIsAnError) {
  const Scratch scratch;
  for (const char* name : {"file.f4.little.f", "file.version2"}) {
    const std::string whole = bytes(name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      expect_error<DataError>([&] { read_npy(scratch.put("cut.npy", whole.substr(0, size))); }, {"cut.npy"});
    }
  }
}

// Whatever stands in the header, reading ends with values or a DataError.
TEST(Npy, DamagedHeadersNeverCrash) {
  const Scratch scratch;
  const std::string whole = bytes("file.i2.little.c");
  std::int64_t refused = 0;
  for (std::size_t at = 0; at < 70; ++at) {
    for (const char c : {'\0', '\'', '(', '9', '\xff'}) {
      std::string damaged = whole;
      damaged[at] = c;
      try {
        read_npy(scratch.put("damaged.npy", damaged));
      } catch (const DataError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 200);
}

TEST(Npz, StoredAndDeflated) {
  const Scratch scratch;
  for (const char* kind : {"stored", "deflated"}) {
    const auto file = scratch.put("a.npz", bytes(std::string("archive.") + kind));
    EXPECT_EQ(npz_names(file), (std::vector<std::string>{"x_train", "y_train", "objects"}));
    const auto arrays = read_npz(file, {"y_train", "x_train"});
    EXPECT_TRUE(at::equal(arrays.at("x_train"), reference().tensors.at("value.version1")));
    EXPECT_TRUE(at::equal(arrays.at("y_train"), at::tensor({1, 0}, at::kLong)));
    expect_error<DataError>([&] { read_npz(file, {"objects"}); }, {"a.npz, \"objects\"", "Python objects"});
    expect_error<DataError>([&] { read_npz(file, {"x_tran"}); }, {"an array \"x_tran\"", "did you mean \"x_train\"?"});
  }
}

TEST(Npz, CutAnywhereIsAnError) {
  const Scratch scratch;
  const std::string whole = bytes("archive.deflated");
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    expect_error<DataError>(
        [&] {
          read_npz(scratch.put("cut.npz", whole.substr(0, size)), {"x_train", "y_train", "objects"});
        },
        {"cut.npz"});
  }
}

TEST(Npy, WritesWhatNumPyReads) {
  const Scratch scratch;
  const auto file = scratch / "a.npy";
  write_npy(file, at::tensor({1.5f, -2.0f}, at::kFloat).view({2, 1}).expand({2, 3}));
  const std::string written = bytes_of(file), start("\x93NUMPY\x01\x00\x76\x00", 10);
  EXPECT_EQ(written.substr(0, 10), start);
  EXPECT_TRUE(written.substr(10).starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } "));
  EXPECT_EQ(written[127], '\n');
  EXPECT_EQ(written.size(), 128u + 24);
  for (const auto& [name, value] : reference().tensors) {
    if (!name.starts_with("value.")) continue;
    write_npy(file, value);
    const at::Tensor read = read_npy(file);
    EXPECT_TRUE(read.scalar_type() == value.scalar_type() && at::equal(read, value)) << name;
  }
  write_npy(file, at::ones({2}, at::kBFloat16));
  EXPECT_TRUE(at::equal(read_npy(file), at::ones({2})));
  expect_error<OutputError>([&] { write_npy(scratch / "no" / "a.npy", at::ones({2})); }, {"a.npy"});
}

// Files from 64 MiB are mapped; the holes of a sparse one are zeros.
TEST(Npy, LargeFilesAreMapped) {
  const Scratch scratch;
  const std::string header = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (20000000, 1)}      ", "");
  ASSERT_EQ(header.size() % 4, 0u);
  const auto file = scratch.put("large.npy", header);
  std::filesystem::resize_file(file, header.size() + 80000000);
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(-4, std::ios::end).write("\0\0\x80?", 4);
  const at::Tensor values = read_npy(file);
  EXPECT_EQ(values.sizes(), at::IntArrayRef({20000000, 1}));
  EXPECT_EQ(values[19999999].item<float>(), 1);
  EXPECT_EQ(values[5000000].item<float>(), 0);
  std::filesystem::resize_file(file, header.size() + 79999999);
  expect_error<DataError>([&] { read_npy(file); }, {fmt::format("{} bytes", header.size() + 80000000),
                                                    fmt::format("{}", header.size() + 79999999)});
}

}  // namespace
}  // namespace vaetl::npy_test
