#include "vaetl/zoo/export/onnx_builder.hpp"

namespace vaetl::zoo::exporting {

at::ScalarType output_type(const OnnxBuilder& to, const Op& op) {
  return to.value(op.outputs[0]).example.scalar_type();
}

const Sizes& output_shape(const OnnxBuilder& to, const Op& op) { return to.value(op.outputs[0]).shape; }

std::int64_t rank_of(const OnnxBuilder& to, Ref ref) { return static_cast<std::int64_t>(to.value(ref).shape.size()); }

std::int64_t from_front(std::int64_t dim, std::int64_t rank) { return dim < 0 ? dim + rank : dim; }

std::int64_t dim_of(const OnnxBuilder& to, const Op& op, Ref self) {
  return from_front(op.integer("dim"), rank_of(to, self));
}

std::string operand(OnnxBuilder& to, const Op& op, std::string_view argument, at::ScalarType dtype) {
  if (std::holds_alternative<Ref>(op[argument])) return to.as(op.tensor(argument), dtype);
  const Size* size = std::get_if<Size>(&op[argument]);
  if (!size || size->constant()) return to.scalar(op.number(argument), dtype);
  std::string number = to.add("Squeeze", {to.sizes({*size}), to.integers({0})});
  if (dtype != at::kLong) number = to.add("Cast", {number}, {{"to", onnx_dtype(dtype, "export to ONNX")}});
  return number;
}

OnnxNames write_operator(OnnxBuilder& to, const Op& op) {
  for (const OnnxTable* table : {&elementwise_operators(), &layer_operators(), &shape_operators()}) {
    const auto found = table->find(op.name);
    if (found != table->end()) return found->second.write(to, op, found->second.name);
  }
  refuse_operator(op, "ONNX");
}

}  // namespace vaetl::zoo::exporting
