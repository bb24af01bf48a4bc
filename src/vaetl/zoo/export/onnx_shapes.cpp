#include <ATen/ops/full.h>

#include <limits>

#include "vaetl/zoo/export/onnx_builder.hpp"

namespace vaetl::zoo::exporting {
namespace {

constexpr std::int64_t to_the_end = std::numeric_limits<std::int64_t>::max();

// A view: the shape that came out says it all.
OnnxNames write_reshape(OnnxBuilder& to, const Op& op, const std::string&) {
  return {to.reshape(to(op.tensor("self")), output_shape(to, op))};
}

OnnxNames write_expand(OnnxBuilder& to, const Op& op, const std::string&) {
  return {to.add("Expand", {to(op.tensor("self")), to.sizes(output_shape(to, op))})};
}

OnnxNames write_permute(OnnxBuilder& to, const Op& op, const std::string&) {
  Numbers order = op.integers("dims");
  for (std::int64_t& dim : order) dim = from_front(dim, static_cast<std::int64_t>(order.size()));
  return {to.transpose(to(op.tensor("self")), order)};
}

OnnxNames write_transpose(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  const std::int64_t rank = rank_of(to, self);
  Numbers order;
  for (std::int64_t dim = 0; dim < rank; ++dim) order.push_back(dim);
  const std::int64_t a = op.has("dim0") ? op.integer("dim0") : 0, b = op.has("dim1") ? op.integer("dim1") : 1;
  if (rank > 1)
    std::swap(order[static_cast<std::size_t>(from_front(a, rank))],
              order[static_cast<std::size_t>(from_front(b, rank))]);
  return {to.transpose(to(self), order)};
}

struct Cut {
  std::int64_t dim;
  Size start, end;
  std::int64_t step = 1;
};

std::string cut_out(OnnxBuilder& to, const std::string& input, const Cut& cut) {
  return to.add("Slice",
                {input, to.sizes({cut.start}), to.sizes({cut.end}), to.integers({cut.dim}), to.integers({cut.step})});
}

OnnxNames write_slice(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  return {cut_out(to, to(self),
                  {.dim = dim_of(to, op, self),
                   .start = op.has("start") ? op.size("start") : Size{0},
                   .end = op.has("end") ? op.size("end") : Size{to_the_end},
                   .step = op.integer("step")})};
}

// A place counted from the end counts from the front.
Size place_in(const OnnxBuilder& to, Ref self, std::int64_t dim, const Size& place) {
  const bool behind = place.constant() && place.fixed < 0;
  return behind ? sum(to.value(self).shape[static_cast<std::size_t>(dim)], place) : place;
}

OnnxNames write_narrow(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  const std::int64_t dim = dim_of(to, op, self);
  const Size start = place_in(to, self, dim, op.size("start"));
  return {cut_out(to, to(self), {.dim = dim, .start = start, .end = sum(start, op.size("length"))})};
}

OnnxNames write_select(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  const std::int64_t dim = dim_of(to, op, self);
  const Size start = place_in(to, self, dim, op.size("index"));
  const std::string one = cut_out(to, to(self), {.dim = dim, .start = start, .end = sum(start, {1})});
  return {to.add("Squeeze", {one, to.integers({dim})})};
}

OnnxNames write_unbind(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  const std::int64_t dim = dim_of(to, op, self);
  const OnnxNames parts = op.outputs.size() == 1
                              ? OnnxNames{to(self)}
                              : to.add_several(op.outputs.size(), "Split", {to(self)}, {{"axis", dim}});
  OnnxNames result;
  for (const std::string& part : parts) result.push_back(to.add("Squeeze", {part, to.integers({dim})}));
  return result;
}

OnnxNames write_split(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  const std::int64_t dim = dim_of(to, op, self);
  Sizes sizes;
  for (const Ref output : op.outputs) sizes.push_back(to.value(output).shape[static_cast<std::size_t>(dim)]);
  return to.add_several(op.outputs.size(), "Split", {to(self), to.sizes(sizes)}, {{"axis", dim}});
}

OnnxNames inputs_of(OnnxBuilder& to, const Op& op) {
  OnnxNames inputs;
  for (const auto& each : op.tensors("tensors")) inputs.push_back(to.as(*each, output_type(to, op)));
  return inputs;
}

OnnxNames write_cat(OnnxBuilder& to, const Op& op, const std::string&) {
  return {to.add("Concat", inputs_of(to, op), {{"axis", from_front(op.integer("dim"), rank_of(to, op.outputs[0]))}})};
}

OnnxNames write_stack(OnnxBuilder& to, const Op& op, const std::string&) {
  const std::int64_t dim = from_front(op.integer("dim"), rank_of(to, op.outputs[0]));
  OnnxNames parts;
  for (const std::string& each : inputs_of(to, op)) parts.push_back(to.add("Unsqueeze", {each, to.integers({dim})}));
  return {to.add("Concat", parts, {{"axis", dim}})};
}

OnnxNames write_flip(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  std::string x = to(self);
  for (const std::int64_t dim : op.integers("dims")) {
    x = cut_out(to, x,
                {.dim = from_front(dim, rank_of(to, self)),
                 .start = {-1},
                 .end = {std::numeric_limits<std::int64_t>::min()},
                 .step = -1});
  }
  return {x};
}

// ATen counts from the last dimension, before and behind each; ONNX from the first, all before, then all behind.
OnnxNames write_pad(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  const auto rank = static_cast<std::size_t>(rank_of(to, self));
  const Numbers given = op.integers("pad");
  Numbers pads(2 * rank);
  for (std::size_t i = 0; i + 1 < given.size(); i += 2) {
    const std::size_t dim = rank - 1 - i / 2;
    pads[dim] = given[i];
    pads[rank + dim] = given[i + 1];
  }
  return {to.add("Pad", {to(self), to.integers(pads), to.scalar(op.number("value"), output_type(to, op))})};
}

OnnxNames write_embedding(OnnxBuilder& to, const Op& op, const std::string&) {
  return {to.add("Gather", {to(op.tensor("weight")), to(op.tensor("indices"))}, {{"axis", std::int64_t{0}}})};
}

OnnxNames write_index_select(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  return {to.add("Gather", {to(self), to(op.tensor("index"))}, {{"axis", dim_of(to, op, self)}})};
}

OnnxNames write_gather(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  return {to.add("GatherElements", {to(self), to(op.tensor("index"))}, {{"axis", dim_of(to, op, self)}})};
}

OnnxNames scattered(OnnxBuilder& to, const Op& op, const std::string& how) {
  const Ref self = op.tensor("self"), index = op.tensor("index");
  const auto dtype = output_type(to, op);
  const std::string source = op.has("src")
                                 ? to(op.tensor("src"))
                                 : to.add("Expand", {operand(to, op, "value", dtype), to.sizes(to.value(index).shape)});
  std::vector<OnnxAttribute> attributes = {{"axis", dim_of(to, op, self)}};
  if (!how.empty()) attributes.push_back({"reduction", how});
  return {to.add("ScatterElements", {to(self), to(index), source}, attributes)};
}
OnnxNames write_scatter(OnnxBuilder& to, const Op& op, const std::string&) { return scattered(to, op, {}); }
OnnxNames write_scatter_add(OnnxBuilder& to, const Op& op, const std::string&) { return scattered(to, op, "add"); }

OnnxNames write_topk(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  return to.add_several(2, "TopK", {to(self), to.sizes({op.size("k")})},
                        {{"axis", dim_of(to, op, self)},
                         {"largest", std::int64_t{op.flag("largest")}},
                         {"sorted", std::int64_t{op.flag("sorted")}}});
}

OnnxNames write_argmax(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  return {
      to.add("ArgMax", {to(self)}, {{"axis", dim_of(to, op, self)}, {"keepdims", std::int64_t{op.flag("keepdim")}}})};
}

// How many of a sorted row are below the one value.
OnnxNames write_searchsorted(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref values = op.tensor("self");
  const bool one = to.value(values).shape.back() == Size{1} && !op.flag("right") && !op.has("side");
  if (!one) refuse_operator(op, "ONNX");
  const std::string below = to.add("Less", {to(op.tensor("sorted_sequence")), to(values)});
  const std::string counted = to.add("Cast", {below}, {{"to", onnx_dtype(at::kLong, "export to ONNX")}});
  return {to.add("ReduceSum", {counted, to.integers({-1})}, {{"keepdims", std::int64_t{1}}})};
}

OnnxNames write_cumsum(OnnxBuilder& to, const Op& op, const std::string&) {
  const Ref self = op.tensor("self");
  return {to.add("CumSum", {to(self), to.integers({dim_of(to, op, self)})})};
}

OnnxNames filled_shape(OnnxBuilder& to, const Op& op, double value) {
  const at::Tensor one = at::full({1}, value, at::TensorOptions(at::kDouble)).to(output_type(to, op));
  return {to.add("ConstantOfShape", {to.sizes(output_shape(to, op))}, {{"value", one}})};
}
OnnxNames write_zeros(OnnxBuilder& to, const Op& op, const std::string&) { return filled_shape(to, op, 0); }
OnnxNames write_ones(OnnxBuilder& to, const Op& op, const std::string&) { return filled_shape(to, op, 1); }
OnnxNames write_full(OnnxBuilder& to, const Op& op, const std::string&) {
  return filled_shape(to, op, op.number("fill_value"));
}

OnnxNames write_arange(OnnxBuilder& to, const Op& op, const std::string&) {
  const auto bound = [&](const char* name, std::int64_t otherwise) {
    const Size size = op.has(name) ? op.size(name) : Size{otherwise};
    return to.add("Squeeze", {to.sizes({size}), to.integers({0})});
  };
  const std::string range = to.add("Range", {bound("start", 0), bound("end", 0), bound("step", 1)});
  if (output_type(to, op) == at::kLong) return {range};
  return {to.add("Cast", {range}, {{"to", onnx_dtype(output_type(to, op), "export to ONNX")}})};
}

}  // namespace

const OnnxTable& shape_operators() {
  static const OnnxTable table = {
      {"arange", {write_arange}},
      {"argmax", {write_argmax}},
      {"cat", {write_cat}},
      {"constant_pad_nd", {write_pad}},
      {"embedding", {write_embedding}},
      {"cumsum", {write_cumsum}},
      {"expand", {write_expand}},
      {"expand_as", {write_expand}},
      {"flatten", {write_reshape}},
      {"flip", {write_flip}},
      {"full", {write_full}},
      {"full_like", {write_full}},
      {"gather", {write_gather}},
      {"index_select", {write_index_select}},
      {"narrow", {write_narrow}},
      {"new_zeros", {write_zeros}},
      {"ones", {write_ones}},
      {"ones_like", {write_ones}},
      {"permute", {write_permute}},
      {"reshape", {write_reshape}},
      {"reshape_as", {write_reshape}},
      {"scatter", {write_scatter}},
      {"scatter_add", {write_scatter_add}},
      {"searchsorted", {write_searchsorted}},
      {"select", {write_select}},
      {"slice", {write_slice}},
      {"split", {write_split}},
      {"squeeze", {write_reshape}},
      {"stack", {write_stack}},
      {"t", {write_transpose}},
      {"topk", {write_topk}},
      {"transpose", {write_transpose}},
      {"unbind", {write_unbind}},
      {"unflatten", {write_reshape}},
      {"unsqueeze", {write_reshape}},
      {"view", {write_reshape}},
      {"view_as", {write_reshape}},
      {"zeros", {write_zeros}},
      {"zeros_like", {write_zeros}},
      {"_unsafe_view", {write_reshape}},
  };
  return table;
}

}  // namespace vaetl::zoo::exporting
