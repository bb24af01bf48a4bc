// ONNX, a format for computations that many runtimes read: a graph of operators over named tensors (onnx.proto of the
// specification, IR version 8). Protocol buffers are written by protozero.
//
//   OnnxModel model{.name = "double", .inputs = {{"x", at::kFloat, {"N", 3}}}, .outputs = {{"y", at::kFloat, {"N",
//   3}}}}; model.nodes.push_back({"Add", {"x", "x"}, {"y"}}); write_onnx("double.onnx", model);
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace vaetl {

struct OnnxAttribute {
  std::string name;
  std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, at::Tensor> value;
};

struct OnnxNode {
  std::string op;
  std::vector<std::string> inputs, outputs;  // an empty input: left out
  std::vector<OnnxAttribute> attributes = {};
};

using OnnxSize = std::variant<std::int64_t, std::string>;  // known, or by a name

struct OnnxValue {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  std::vector<OnnxSize> shape = {};
  std::string text = {};  // for people
};

struct OnnxModel {
  std::string name = {}, text = {};
  std::int64_t opset = 17;
  std::vector<OnnxNode> nodes = {};
  std::vector<OnnxValue> inputs = {}, outputs = {};
  std::vector<std::pair<std::string, at::Tensor>> constants = {};
  std::map<std::string, std::string> metadata = {};
};

// Replaces the file atomically. FileError for what the format cannot hold: another dtype, more than 2 GB. OutputError
// where the file cannot be written.
void write_onnx(const std::filesystem::path& path, const OnnxModel& model);

// The number that the format has for a type; FileError, beginning with `where`, for one that it has none for.
std::int64_t onnx_dtype(at::ScalarType dtype, const std::string& where);

}  // namespace vaetl
