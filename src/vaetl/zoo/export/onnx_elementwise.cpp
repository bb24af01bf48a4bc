#include <ATen/ops/result_type.h>

#include <numbers>

#include "vaetl/zoo/export/onnx_builder.hpp"

namespace vaetl::zoo::exporting {
namespace {

// What both are converted to before they are compared.
at::ScalarType common_type(const OnnxBuilder& to, const Op& op) {
  const at::Tensor& self = to.value(op.tensor("self")).example;
  if (std::holds_alternative<Ref>(op["other"])) return at::result_type(self, to.value(op.tensor("other")).example);
  const bool real = std::holds_alternative<double>(op["other"]);
  return real && !at::isFloatingType(self.scalar_type()) ? at::kFloat : self.scalar_type();
}

OnnxNames unary(OnnxBuilder& to, const Op& op, const std::string& name) {
  return {to.add(name, {to(op.tensor("self"))})};
}

OnnxNames binary(OnnxBuilder& to, const Op& op, const std::string& name) {
  const auto dtype = output_type(to, op);
  const bool plain = (!op.has("alpha") || op.number("alpha") == 1) && !op.has("rounding_mode");
  if (!plain) refuse_operator(op, "ONNX");
  return {to.add(name, {operand(to, op, "self", dtype), operand(to, op, "other", dtype)})};
}

OnnxNames comparison(OnnxBuilder& to, const Op& op, const std::string& name) {
  const auto dtype = common_type(to, op);
  return {to.add(name, {operand(to, op, "self", dtype), operand(to, op, "other", dtype)})};
}

OnnxNames logical(OnnxBuilder& to, const Op& op, const std::string& name) {
  return {to.add(name, {to.as(op.tensor("self"), at::kBool), to.as(op.tensor("other"), at::kBool)})};
}

OnnxNames write_not_equal(OnnxBuilder& to, const Op& op, const std::string&) {
  return {to.add("Not", comparison(to, op, "Equal"))};
}

OnnxNames write_square(OnnxBuilder& to, const Op& op, const std::string&) {
  const std::string x = to(op.tensor("self"));
  return {to.add("Mul", {x, x})};
}

OnnxNames write_pow(OnnxBuilder& to, const Op& op, const std::string&) {
  const auto dtype = output_type(to, op);
  return {to.add("Pow", {operand(to, op, "self", dtype), operand(to, op, "exponent", dtype)})};
}

OnnxNames write_silu(OnnxBuilder& to, const Op& op, const std::string&) {
  const std::string x = to(op.tensor("self"));
  return {to.add("Mul", {x, to.add("Sigmoid", {x})})};
}

// x Φ(x), Φ(x) = ½ (1 + erf(x / √2)).
OnnxNames write_gelu(OnnxBuilder& to, const Op& op, const std::string&) {
  if (std::get<std::string>(op["approximate"]) != "none") refuse_operator(op, "ONNX");
  const auto dtype = output_type(to, op);
  const std::string x = to(op.tensor("self"));
  const std::string erf = to.add("Erf", {to.add("Mul", {x, to.scalar(1 / std::numbers::sqrt2, dtype)})});
  const std::string half = to.add("Mul", {x, to.scalar(0.5, dtype)});
  return {to.add("Mul", {half, to.add("Add", {erf, to.scalar(1, dtype)})})};
}

// ½ (1 + erf(x / √2)), the normal distribution function.
OnnxNames write_ndtr(OnnxBuilder& to, const Op& op, const std::string&) {
  const auto dtype = output_type(to, op);
  const std::string scaled = to.add("Mul", {to(op.tensor("self")), to.scalar(1 / std::numbers::sqrt2, dtype)});
  const std::string above = to.add("Add", {to.add("Erf", {scaled}), to.scalar(1, dtype)});
  return {to.add("Mul", {above, to.scalar(0.5, dtype)})};
}

OnnxNames write_elu(OnnxBuilder& to, const Op& op, const std::string&) {
  if (op.number("scale") != 1 || op.number("input_scale") != 1) refuse_operator(op, "ONNX");
  return {to.add("Elu", {to(op.tensor("self"))}, {{"alpha", op.number("alpha")}})};
}

OnnxNames write_leaky_relu(OnnxBuilder& to, const Op& op, const std::string&) {
  return {to.add("LeakyRelu", {to(op.tensor("self"))}, {{"alpha", op.number("negative_slope")}})};
}

OnnxNames clip(OnnxBuilder& to, const Op& op, std::string_view low, std::string_view high) {
  const auto dtype = output_type(to, op);
  const auto bound = [&](std::string_view name) { return op.has(name) ? operand(to, op, name, dtype) : ""; };
  return {to.add("Clip", {to.as(op.tensor("self"), dtype), bound(low), bound(high)})};
}
OnnxNames write_clamp(OnnxBuilder& to, const Op& op, const std::string&) { return clip(to, op, "min", "max"); }
OnnxNames write_hardtanh(OnnxBuilder& to, const Op& op, const std::string&) {
  return clip(to, op, "min_val", "max_val");
}

OnnxNames write_where(OnnxBuilder& to, const Op& op, const std::string&) {
  const auto dtype = output_type(to, op);
  return {to.add("Where", {to.as(op.tensor("condition"), at::kBool), operand(to, op, "self", dtype),
                           operand(to, op, "other", dtype)})};
}

OnnxNames write_masked_fill(OnnxBuilder& to, const Op& op, const std::string&) {
  const auto dtype = output_type(to, op);
  return {to.add("Where", {to(op.tensor("mask")), operand(to, op, "value", dtype), to.as(op.tensor("self"), dtype)})};
}

// a + w (b − a).
OnnxNames write_lerp(OnnxBuilder& to, const Op& op, const std::string&) {
  const std::string start = to(op.tensor("self"));
  const std::string way = to.add("Sub", {to(op.tensor("end")), start});
  return {to.add("Add", {start, to.add("Mul", {operand(to, op, "weight", output_type(to, op)), way})})};
}

OnnxNames write_addcmul(OnnxBuilder& to, const Op& op, const std::string&) {
  if (op.number("value") != 1) refuse_operator(op, "ONNX");
  return {to.add("Add", {to(op.tensor("self")), to.add("Mul", {to(op.tensor("tensor1")), to(op.tensor("tensor2"))})})};
}

OnnxNames write_softplus(OnnxBuilder& to, const Op& op, const std::string&) {
  if (op.number("beta") != 1) refuse_operator(op, "ONNX");
  return {to.add("Softplus", {to(op.tensor("self"))})};
}

OnnxNames write_log1p(OnnxBuilder& to, const Op& op, const std::string&) {
  return {to.add("Log", {to.add("Add", {to(op.tensor("self")), to.scalar(1, output_type(to, op))})})};
}

OnnxNames write_cast(OnnxBuilder& to, const Op& op, const std::string&) {
  return {to.as(op.tensor("self"), output_type(to, op))};
}

}  // namespace

const OnnxTable& elementwise_operators() {
  static const OnnxTable table = {
      {"abs", {unary, "Abs"}},
      {"add", {binary, "Add"}},
      {"addcmul", {write_addcmul}},
      {"clamp", {write_clamp}},
      {"clamp_max", {write_clamp}},
      {"clamp_min", {write_clamp}},
      {"div", {binary, "Div"}},
      {"elu", {write_elu}},
      {"eq", {comparison, "Equal"}},
      {"erf", {unary, "Erf"}},
      {"exp", {unary, "Exp"}},
      {"floor", {unary, "Floor"}},
      {"ge", {comparison, "GreaterOrEqual"}},
      {"gelu", {write_gelu}},
      {"gt", {comparison, "Greater"}},
      {"hardtanh", {write_hardtanh}},
      {"isnan", {unary, "IsNaN"}},
      {"le", {comparison, "LessOrEqual"}},
      {"leaky_relu", {write_leaky_relu}},
      {"lerp", {write_lerp}},
      {"log", {unary, "Log"}},
      {"log1p", {write_log1p}},
      {"logical_and", {logical, "And"}},
      {"logical_not", {unary, "Not"}},
      {"logical_or", {logical, "Or"}},
      {"lt", {comparison, "Less"}},
      {"masked_fill", {write_masked_fill}},
      {"maximum", {binary, "Max"}},
      {"minimum", {binary, "Min"}},
      {"mul", {binary, "Mul"}},
      {"ne", {write_not_equal}},
      {"neg", {unary, "Neg"}},
      {"pow", {write_pow}},
      {"reciprocal", {unary, "Reciprocal"}},
      {"relu", {unary, "Relu"}},
      {"remainder", {binary, "Mod"}},
      {"round", {unary, "Round"}},
      {"sigmoid", {unary, "Sigmoid"}},
      {"silu", {write_silu}},
      {"softplus", {write_softplus}},
      {"special_ndtr", {write_ndtr}},
      {"sqrt", {unary, "Sqrt"}},
      {"square", {write_square}},
      {"sub", {binary, "Sub"}},
      {"tanh", {unary, "Tanh"}},
      {"to", {write_cast}},
      {"where", {write_where}},
  };
  return table;
}

}  // namespace vaetl::zoo::exporting
