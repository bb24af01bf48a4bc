#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>

#include "vaetl/zoo/export/onnx_builder.hpp"

namespace vaetl::zoo::exporting {
namespace {

OnnxNames write_linear(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref input = op.tensor("input"), weight = op.tensor("weight");
  const auto bias = op.optional_tensor("bias");
  if (rank_of(to, input) == 2) {
    OnnxNames inputs = {to(input), to(weight)};
    if (bias) inputs.push_back(to(*bias));
    return {to.add("Gemm", inputs, {{"transB", std::int64_t{1}}})};
  }
  const std::string product = to.add("MatMul", {to(input), to.transpose(to(weight), {1, 0})});
  return {bias ? to.add("Add", {product, to(*bias)}) : product};
}

OnnxNames write_matmul(OnnxBuilder& to, const Op& op, const std::string&) {
  return {to.add("MatMul", {to(op.tensor("self")), to(op.tensor(op.has("mat2") ? "mat2" : "other"))})};
}

// One number stands for all dimensions.
Numbers for_both(Numbers values) {
  if (values.size() == 1) values.push_back(values[0]);
  return values;
}

// The same before as behind.
Numbers on_both_sides(const Numbers& padding) {
  Numbers result = for_both(padding);
  return {result[0], result[1], result[0], result[1]};
}

OnnxNames convolution(OnnxBuilder& to, const Op& op, const std::string& name) {
  if (std::holds_alternative<std::string>(op["padding"])) refuse_operator(op, "ONNX");
  std::vector<OnnxAttribute> attributes = {{"strides", for_both(op.integers("stride"))},
                                           {"pads", on_both_sides(op.integers("padding"))},
                                           {"dilations", for_both(op.integers("dilation"))},
                                           {"group", op.integer("groups")}};
  if (op.has("output_padding")) attributes.push_back({"output_padding", for_both(op.integers("output_padding"))});
  OnnxNames inputs = {to(op.tensor("input")), to(op.tensor("weight"))};
  if (const auto bias = op.optional_tensor("bias")) inputs.push_back(to(*bias));
  return {to.add(name, inputs, attributes)};
}
OnnxNames write_conv(OnnxBuilder& to, const Op& op, const std::string&) { return convolution(to, op, "Conv"); }
OnnxNames write_conv_transpose(OnnxBuilder& to, const Op& op, const std::string&) {
  return convolution(to, op, "ConvTranspose");
}

OnnxNames write_batch_norm(OnnxBuilder& to, const Op& op, const std::string&) {
  if (op.flag("training")) refuse_operator(op, "ONNX");
  return {to.add("BatchNormalization",
                 {to(op.tensor("input")), to(op.tensor("weight")), to(op.tensor("bias")), to(op.tensor("running_mean")),
                  to(op.tensor("running_var"))},
                 {{"epsilon", op.number("eps")}})};
}

OnnxNames write_layer_norm(OnnxBuilder& to, const Op& op, const std::string&) {
  const auto dimensions = static_cast<std::int64_t>(op.sizes("normalized_shape").size());
  OnnxNames inputs = {to(op.tensor("input")), to(op.tensor("weight"))};
  if (const auto bias = op.optional_tensor("bias")) inputs.push_back(to(*bias));
  return {to.add("LayerNormalization", inputs, {{"axis", -dimensions}, {"epsilon", op.number("eps")}})};
}

OnnxNames write_max_pool(OnnxBuilder& to, const Op& op, const std::string&) {
  const auto kernel = for_both(op.integers("kernel_size")), stride = op.integers("stride");
  return {to.add("MaxPool", {to(op.tensor("self"))},
                 {{"kernel_shape", kernel},
                  {"strides", stride.empty() ? kernel : for_both(stride)},
                  {"pads", on_both_sides(op.integers("padding"))},
                  {"dilations", for_both(op.integers("dilation"))},
                  {"ceil_mode", std::int64_t{op.flag("ceil_mode")}}})};
}

// Row i of (out, in) averages those of the inputs that output i sees.
at::Tensor averages(std::int64_t in, std::int64_t out) {
  at::Tensor matrix = at::zeros({out, in});
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t first = i * in / out, end = ((i + 1) * in + out - 1) / out;
    matrix[i].narrow(0, first, end - first).fill_(1.0 / static_cast<double>(end - first));
  }
  return matrix;
}

OnnxNames write_adaptive_pool(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  const auto out = for_both(op.integers("output_size"));
  if (out == Numbers{1, 1}) return {to.add("GlobalAveragePool", {to(self)})};
  const Sizes& shape = to.value(self).shape;
  const Size &height = shape[shape.size() - 2], &width = shape[shape.size() - 1];
  if (!height.constant() || !width.constant()) refuse_operator(op, "ONNX");
  const std::string rows = to.add("MatMul", {to.constant(averages(height.fixed, out[0])), to(self)});
  return {to.add("MatMul", {rows, to.constant(averages(width.fixed, out[1]).t().contiguous())})};
}

Numbers reduced_dims(const OnnxBuilder& to, const Op& op) {
  const std::int64_t rank = rank_of(to, op.tensor("self"));
  Numbers dims = op.has("dim") ? op.integers("dim") : Numbers{};
  for (std::int64_t& dim : dims) dim = from_front(dim, rank);
  if (!dims.empty()) return dims;
  for (std::int64_t dim = 0; dim < rank; ++dim) dims.push_back(dim);
  return dims;
}

OnnxNames reduction(OnnxBuilder& to, const Op& op, const std::string& name) {
  return {to.add(name, {to.as(op.tensor("self"), output_type(to, op))},
                 {{"axes", reduced_dims(to, op)}, {"keepdims", std::int64_t{op.flag("keepdim")}}})};
}

OnnxNames write_sum(OnnxBuilder& to, const Op& op, const std::string&) {
  return {to.add("ReduceSum", {to.as(op.tensor("self"), output_type(to, op)), to.integers(reduced_dims(to, op))},
                 {{"keepdims", std::int64_t{op.flag("keepdim")}}})};
}

OnnxNames write_var(OnnxBuilder& to, const Op& op, const std::string&) {
  const char* correction = op.has("unbiased") ? "unbiased" : "correction";
  if (!op.has(correction) || op.number(correction) != 0) refuse_operator(op, "ONNX");
  const Numbers dims = reduced_dims(to, op);
  const std::string x = to(op.tensor("self"));
  const std::string mean = to.add("ReduceMean", {x}, {{"axes", dims}, {"keepdims", std::int64_t{1}}});
  const std::string away = to.add("Sub", {x, mean});
  return {to.add("ReduceMean", {to.add("Mul", {away, away})},
                 {{"axes", dims}, {"keepdims", std::int64_t{op.flag("keepdim")}}})};
}

OnnxNames along(OnnxBuilder& to, const Op& op, const std::string& name) {
  const Ref self = op.tensor("self");
  return {to.add(name, {to(self)}, {{"axis", dim_of(to, op, self)}})};
}

OnnxNames write_glu(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  const OnnxNames halves = to.add_several(2, "Split", {to(self)}, {{"axis", dim_of(to, op, self)}});
  return {to.add("Mul", {halves[0], to.add("Sigmoid", {halves[1]})})};
}

// softmax(q kᵀ / √d + mask) v over the last two dimensions.
OnnxNames write_attention(OnnxBuilder& to, const Op& op, const std::string&) {
  if (op.flag("is_causal") || op.number("dropout_p") != 0) refuse_operator(op, "ONNX");
  const Ref query = op.tensor("query"), key = op.tensor("key");
  const auto dtype = output_type(to, op);
  const std::int64_t rank = rank_of(to, key);
  Numbers order;
  for (std::int64_t dim = 0; dim < rank; ++dim) order.push_back(dim);
  std::swap(order[static_cast<std::size_t>(rank - 1)], order[static_cast<std::size_t>(rank - 2)]);
  const double width = static_cast<double>(to.value(query).example.size(-1));
  const double scale = op.has("scale") ? op.number("scale") : 1 / std::sqrt(width);
  const std::string scaled = to.add("Mul", {to(query), to.scalar(scale, dtype)});
  std::string scores = to.add("MatMul", {scaled, to.transpose(to(key), order)});
  if (const auto mask = op.optional_tensor("attn_mask")) {
    const bool chooses = to.value(*mask).example.scalar_type() == at::kBool;
    const double never = -std::numeric_limits<double>::infinity();
    scores =
        chooses ? to.add("Where", {to(*mask), scores, to.scalar(never, dtype)}) : to.add("Add", {scores, to(*mask)});
  }
  return {to.add("MatMul", {to.add("Softmax", {scores}, {{"axis", std::int64_t{-1}}}), to(op.tensor("value"))})};
}

}  // namespace

const OnnxTable& layer_operators() {
  static const OnnxTable table = {
      {"adaptive_avg_pool2d", {write_adaptive_pool}},
      {"amax", {reduction, "ReduceMax"}},
      {"batch_norm", {write_batch_norm}},
      {"bmm", {write_matmul}},
      {"conv2d", {write_conv}},
      {"conv_transpose2d", {write_conv_transpose}},
      {"glu", {write_glu}},
      {"gru", {write_recurrent}},
      {"layer_norm", {write_layer_norm}},
      {"linear", {write_linear}},
      {"log_softmax", {along, "LogSoftmax"}},
      {"lstm", {write_recurrent}},
      {"matmul", {write_matmul}},
      {"max_pool2d", {write_max_pool}},
      {"mean", {reduction, "ReduceMean"}},
      {"mm", {write_matmul}},
      {"scaled_dot_product_attention", {write_attention}},
      {"softmax", {along, "Softmax"}},
      {"sum", {write_sum}},
      {"var", {write_var}},
  };
  return table;
}

}  // namespace vaetl::zoo::exporting
