#include "vaetl/zoo/export/onnx_builder.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include "vaetl/core/text.hpp"

namespace vaetl::zoo::exporting {

std::string OnnxBuilder::operator()(Ref ref) {
  const auto found = names_.find(ref);
  if (found != names_.end()) return found->second;
  const Value& value = graph_[ref];
  model_.constants.emplace_back(value.name, value.example);
  return names_[ref] = value.name;
}

std::string OnnxBuilder::as(Ref ref, at::ScalarType dtype) {
  const std::string name = (*this)(ref);
  if (graph_[ref].example.scalar_type() == dtype) return name;
  return add("Cast", {name}, {{"to", onnx_dtype(dtype, "export to ONNX")}});
}

std::string OnnxBuilder::fresh() {
  const int count = taken_[stem_]++;
  return count == 0 ? stem_ : fmt::format("{}/{}", stem_, count);
}

std::string OnnxBuilder::add(const std::string& op, OnnxNames inputs, std::vector<OnnxAttribute> attributes) {
  return add_several(1, op, std::move(inputs), std::move(attributes))[0];
}

OnnxNames OnnxBuilder::add_several(std::size_t count, const std::string& op, OnnxNames inputs,
                                   std::vector<OnnxAttribute> attributes) {
  OnnxNames outputs;
  for (std::size_t i = 0; i < count; ++i) outputs.push_back(fresh());
  model_.nodes.push_back({op, std::move(inputs), outputs, std::move(attributes)});
  return outputs;
}

std::string OnnxBuilder::constant(const at::Tensor& tensor) {
  const std::string name = fmt::format("{}/constant/{}", stem_, taken_[stem_ + "/constant"]++);
  return model_.constants.emplace_back(name, tensor).first;
}

std::string OnnxBuilder::scalar(double value, at::ScalarType dtype) {
  return constant(at::full({}, value, at::TensorOptions(at::kDouble)).to(dtype));
}

// Equal ones stand in the file once.
std::string OnnxBuilder::integers(const std::vector<std::int64_t>& values) {
  std::vector<std::string> parts;
  for (const std::int64_t value : values) parts.push_back(std::to_string(value));
  std::string& name = known_integers_["[" + join(parts, " ") + "]"];
  if (name.empty()) {
    name = "[" + join(parts, " ") + "]";
    model_.constants.emplace_back(name, at::tensor(at::ArrayRef<std::int64_t>(values), at::kLong));
  }
  return name;
}

std::string OnnxBuilder::size(const Size& size) {
  std::string total;
  for (std::size_t i = 0; i < size.of.size(); ++i) {
    if (size.of[i] == 0) continue;
    std::string& free = free_sizes_[i];
    if (free.empty()) {
      const FreeSize& of = graph_.free[i];
      free = add("Gather", {add("Shape", {(*this)(of.input)}), integers({of.axis})}, {{"axis", std::int64_t{0}}});
    }
    const std::string part = size.of[i] == 1 ? free : add("Mul", {free, integers({size.of[i]})});
    total = total.empty() ? part : add("Add", {total, part});
  }
  if (total.empty()) return integers({size.fixed});
  return size.fixed == 0 ? total : add("Add", {total, integers({size.fixed})});
}

std::string OnnxBuilder::sizes(const Sizes& sizes) {
  std::vector<std::int64_t> known;
  for (const Size& each : sizes) {
    if (each.constant()) known.push_back(each.fixed);
  }
  if (known.size() == sizes.size()) return integers(known);
  OnnxNames parts;
  for (const Size& each : sizes) parts.push_back(size(each));
  return parts.size() == 1 ? parts[0] : add("Concat", parts, {{"axis", std::int64_t{0}}});
}

std::string OnnxBuilder::reshape(const std::string& input, const Sizes& shape) {
  if (!one_is_open(shape)) return add("Reshape", {input, sizes(shape)});
  std::vector<std::int64_t> known;
  for (const Size& each : shape) known.push_back(each.constant() ? each.fixed : -1);
  return add("Reshape", {input, integers(known)});
}

std::string OnnxBuilder::transpose(const std::string& input, std::vector<std::int64_t> order) {
  return add("Transpose", {input}, {{"perm", std::move(order)}});
}

}  // namespace vaetl::zoo::exporting
