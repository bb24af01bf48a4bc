// ONNX files, read back by a reader of protocol buffers; that onnxruntime takes them is tests/models/test_exports.py's.
#include "vaetl/io/onnx.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <protozero/pbf_reader.hpp>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "vaetl/io/atomic_file.hpp"

namespace vaetl::testing::onnx_test {
namespace {

using protozero::pbf_reader;

// Every field of a message: number → values, as far as they are texts or messages.
std::multimap<std::uint32_t, std::string> texts_in(const std::string& bytes) {
  std::multimap<std::uint32_t, std::string> result;
  pbf_reader reader(bytes);
  while (reader.next()) {
    const auto tag = reader.tag();
    if (reader.wire_type() == protozero::pbf_wire_type::length_delimited) {
      result.emplace(tag, reader.get_string());
    } else if (reader.wire_type() == protozero::pbf_wire_type::varint) {
      result.emplace(tag, std::to_string(reader.get_int64()));
    } else {
      reader.skip();
    }
  }
  return result;
}

std::string only(const std::multimap<std::uint32_t, std::string>& fields, std::uint32_t tag) {
  EXPECT_EQ(fields.count(tag), 1U) << tag;
  return fields.count(tag) == 1 ? fields.find(tag)->second : "";
}

OnnxModel small_onnx() {
  OnnxModel model{.name = "shift", .text = "adds to each", .metadata = {{"licence", "MIT"}}};
  model.inputs = {{"x", at::kFloat, {"N", std::int64_t{3}}, "rows"}};
  model.outputs = {{"y", at::kFloat, {"N", std::int64_t{3}}}};
  model.constants.emplace_back("by", at::arange(3).to(at::kFloat));
  model.nodes.push_back({"Add", {"x", "by"}, {"sum"}});
  model.nodes.push_back({"Transpose", {"sum"}, {"y"}, {{"perm", std::vector<std::int64_t>{0, 1}}, {"alpha", 0.5}}});
  return model;
}

TEST(Onnx, IsWhatTheSpecificationSays) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/shift.onnx";
  write_onnx(path, small_onnx());
  const auto model = texts_in(read_file(path));
  EXPECT_EQ(only(model, 1), "8") << "IR version";
  EXPECT_EQ(only(model, 2), "vaetl");
  EXPECT_EQ(only(texts_in(only(model, 8)), 2), "17") << "opset";
  const auto metadata = texts_in(only(model, 14));
  EXPECT_EQ(only(metadata, 1) + "=" + only(metadata, 2), "licence=MIT");
  const auto graph = texts_in(only(model, 7));
  EXPECT_EQ(only(graph, 2), "shift");
  EXPECT_EQ(graph.count(1), 2U) << "nodes";
  const auto constant = texts_in(only(graph, 5));
  EXPECT_EQ(only(constant, 8), "by");
  EXPECT_EQ(only(constant, 1) + " of type " + only(constant, 2), "3 of type 1");
  const std::string values = only(constant, 9);
  ASSERT_EQ(values.size(), 3 * sizeof(float));
  EXPECT_EQ(reinterpret_cast<const float*>(values.data())[2], 2.0F);
  const auto input = texts_in(only(graph, 11));
  EXPECT_EQ(only(input, 1) + ": " + only(input, 3), "x: rows");
  const auto shape = texts_in(only(texts_in(only(texts_in(only(input, 2)), 1)), 2));
  ASSERT_EQ(shape.count(1), 2U);
  EXPECT_EQ(only(texts_in(shape.lower_bound(1)->second), 2), "N") << "a size by its name";
}

TEST(Onnx, RefusesWhatItCannotHold) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/model.onnx";
  OnnxModel model = small_onnx();
  model.constants.emplace_back("complex", at::zeros({2}, at::kComplexFloat));
  expect_error<FileError>([&] { write_onnx(path, model); },
                          {"model.onnx: expected a type that ONNX has, found ComplexFloat"});
  EXPECT_FALSE(std::filesystem::exists(path));
  model.constants.back().second = at::zeros({1}).expand({1 << 20, 1 << 10});
  expect_error<FileError>([&] { write_onnx(path, model); }, {"weights of less than 2 GB", "found 4.3 GB"});
}

}  // namespace
}  // namespace vaetl::testing::onnx_test
