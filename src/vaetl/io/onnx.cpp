#include "vaetl/io/onnx.hpp"

#include <protozero/pbf_writer.hpp>

#include "vaetl/core/error.hpp"
#include "vaetl/io/atomic_file.hpp"

namespace vaetl {
namespace {

constexpr std::int64_t onnx_ir_version = 8;
constexpr double most_onnx_bytes = 2147483647;  // of a protocol buffer

// Field numbers of onnx.proto.
namespace model_field {
enum : protozero::pbf_tag_type { ir_version = 1, producer = 2, text = 6, graph = 7, opset = 8, metadata = 14 };
}
namespace graph_field {
enum : protozero::pbf_tag_type { node = 1, name = 2, constant = 5, input = 11, output = 12 };
}
namespace node_field {
enum : protozero::pbf_tag_type { input = 1, output = 2, name = 3, op = 4, attribute = 5 };
}
namespace attribute_field {
enum : protozero::pbf_tag_type { name = 1, real = 2, whole = 3, text = 4, tensor = 5, wholes = 8, type = 20 };
}
namespace tensor_field {
enum : protozero::pbf_tag_type { dims = 1, dtype = 2, name = 8, bytes = 9 };
}

using Message = protozero::pbf_writer;

void add_tensor(Message message, const std::string& name, const at::Tensor& tensor, const std::string& where) {
  const at::Tensor values = tensor.detach().cpu().contiguous();
  for (const std::int64_t size : values.sizes()) message.add_int64(tensor_field::dims, size);
  message.add_int32(tensor_field::dtype, static_cast<std::int32_t>(onnx_dtype(values.scalar_type(), where)));
  if (!name.empty()) message.add_string(tensor_field::name, name);
  message.add_bytes(tensor_field::bytes, static_cast<const char*>(values.const_data_ptr()), values.nbytes());
}

// The type of an attribute goes with its value: 1 a float, 2 an integer, 3 a text, 4 a tensor, 7 integers.
void add_attribute(Message message, const OnnxAttribute& attribute, const std::string& where) {
  message.add_string(attribute_field::name, attribute.name);
  std::int32_t type = 0;
  if (const auto* real = std::get_if<double>(&attribute.value)) {
    message.add_float(attribute_field::real, static_cast<float>(*real));
    type = 1;
  } else if (const auto* whole = std::get_if<std::int64_t>(&attribute.value)) {
    message.add_int64(attribute_field::whole, *whole);
    type = 2;
  } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    message.add_bytes(attribute_field::text, *text);
    type = 3;
  } else if (const auto* tensor = std::get_if<at::Tensor>(&attribute.value)) {
    add_tensor(Message(message, attribute_field::tensor), {}, *tensor, where);
    type = 4;
  } else {
    for (const std::int64_t each : std::get<std::vector<std::int64_t>>(attribute.value)) {
      message.add_int64(attribute_field::wholes, each);
    }
    type = 7;
  }
  message.add_enum(attribute_field::type, type);
}

void add_node(Message message, const OnnxNode& node, const std::string& where) {
  for (const std::string& input : node.inputs) message.add_string(node_field::input, input);
  for (const std::string& output : node.outputs) message.add_string(node_field::output, output);
  message.add_string(node_field::name, node.outputs.at(0));
  message.add_string(node_field::op, node.op);
  for (const OnnxAttribute& attribute : node.attributes) {
    add_attribute(Message(message, node_field::attribute), attribute, where);
  }
}

// ValueInfoProto: name, type (tensor_type: elem_type, shape of dims), doc_string.
void add_value(Message message, const OnnxValue& value, const std::string& where) {
  message.add_string(1, value.name);
  {
    Message type(message, 2);
    Message tensor(type, 1);
    tensor.add_int32(1, static_cast<std::int32_t>(onnx_dtype(value.dtype, where)));
    Message shape(tensor, 2);
    for (const OnnxSize& size : value.shape) {
      Message dim(shape, 1);
      if (const auto* known = std::get_if<std::int64_t>(&size)) {
        dim.add_int64(1, *known);
      } else {
        dim.add_string(2, std::get<std::string>(size));
      }
    }
  }
  if (!value.text.empty()) message.add_string(3, value.text);
}

void add_graph(Message message, const OnnxModel& model, const std::string& where) {
  for (const OnnxNode& node : model.nodes) add_node(Message(message, graph_field::node), node, where);
  message.add_string(graph_field::name, model.name);
  for (const auto& [name, tensor] : model.constants) {
    add_tensor(Message(message, graph_field::constant), name, tensor, where);
  }
  for (const OnnxValue& value : model.inputs) add_value(Message(message, graph_field::input), value, where);
  for (const OnnxValue& value : model.outputs) add_value(Message(message, graph_field::output), value, where);
}

void check_onnx_size(const OnnxModel& model, const std::string& where) {
  double bytes = 0;
  for (const auto& [name, tensor] : model.constants) bytes += static_cast<double>(tensor.nbytes());
  if (bytes < most_onnx_bytes) return;
  throw FileError({where, "weights of less than 2 GB, as one file of ONNX holds", fmt::format("{:.1f} GB", bytes / 1e9),
                   "export it to python"});
}

}  // namespace

std::int64_t onnx_dtype(at::ScalarType dtype, const std::string& where) {
  switch (dtype) {
    case at::kFloat:
      return 1;
    case at::kByte:
      return 2;
    case at::kChar:
      return 3;
    case at::kShort:
      return 5;
    case at::kInt:
      return 6;
    case at::kLong:
      return 7;
    case at::kBool:
      return 9;
    case at::kHalf:
      return 10;
    case at::kDouble:
      return 11;
    case at::kBFloat16:
      return 16;
    default:
      throw FileError({where, "a type that ONNX has", at::toString(dtype), {}});
  }
}

void write_onnx(const std::filesystem::path& path, const OnnxModel& model) {
  const std::string where = path.string();
  check_onnx_size(model, where);
  std::string bytes;
  Message message(bytes);
  message.add_int64(model_field::ir_version, onnx_ir_version);
  message.add_string(model_field::producer, "vaetl");
  if (!model.text.empty()) message.add_string(model_field::text, model.text);
  add_graph(Message(message, model_field::graph), model, where);
  Message(message, model_field::opset).add_int64(2, model.opset);
  for (const auto& [key, value] : model.metadata) {
    Message entry(message, model_field::metadata);
    entry.add_string(1, key);
    entry.add_string(2, value);
  }
  write_atomically(path, bytes);
}

}  // namespace vaetl
