#include <limits>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/restorer.hpp"
#include "vaetl/zoo/compute.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl {
namespace {

constexpr std::int64_t part_size = 500;  // bounds the memory of activations

const FieldInfo& input_info(const Signature& signature) {
  const auto found = signature.inputs.find("input");
  if (found != signature.inputs.end()) return found->second;
  throw ConfigError({"predict", "a model of one field, input", "another signature", "call its encode()"});
}

bool is_number(const at::Tensor& raw) {
  return raw.defined() && raw.layout() == at::kStrided && dtype_name(raw.scalar_type()) != "unsupported" &&
         raw.scalar_type() != at::kBool;
}

void check_number(const at::Tensor& raw) {
  if (is_number(raw)) return;
  throw DataError({"predict", "a dense tensor of uint8 or float", raw.defined() ? raw.toString() : "none", {}});
}

// (N, …), from (N, …) or one example.
at::Tensor as_batch(const at::Tensor& raw, const std::vector<std::int64_t>& shape) {
  if (shape_fits(shape, raw.sizes())) return raw.unsqueeze(0);
  if (raw.dim() > 0 && shape_fits(shape, raw.sizes().slice(1))) return raw;
  throw DataError({"predict",
                   fmt::format("input of shape {} or {}", batch_shape_text(shape), shape_text(shape)),
                   shape_text(raw.sizes().vec()),
                   {}});
}

// What the weights carry; before any was fitted, the mapping of uint8 to the model's range.
Preprocess preprocess_of(const Model& model, const FieldInfo& info, at::ScalarType dtype) {
  if (!model.preprocess().is_null()) return Preprocess::from_json(model.preprocess());
  if (dtype != at::kByte) return {};
  DatasetInfo data;
  data.fields["input"] = {info.shape, at::kByte, 0, 255};
  return Preprocess::standard(data, model.signature());
}

// Token ids as readers store them, int32, which preprocessing keeps whole; what does not fit is no id of any model.
at::Tensor as_stored(const at::Tensor& raw, const FieldInfo& info) {
  if (info.dtype != at::kLong) return raw;
  if (at::isIntegralType(raw.scalar_type(), /*includeBool=*/false)) {
    return raw.to(at::kLong).clamp(-1, std::numeric_limits<std::int32_t>::max()).to(at::kInt);
  }
  throw DataError({"predict", "token ids of an integer type", dtype_name(raw.scalar_type()),
                   "give the model the ids that its texts were read as"});
}

Fields rows_between(const Fields& fields, std::int64_t begin, std::int64_t end) {
  Fields result;
  for (const auto& [key, values] : fields) result.set(key, values.slice(0, begin, end));
  return result;
}

void check_ready(const Model& model) {
  if (!offers(model, Restorer::capability)) require_capability(model, Encoder::capability, "predict");
  if (!model.is_training()) return;
  throw ConfigError({"predict", "a model in evaluation mode", "one in training mode", "call model->eval()"});
}

}  // namespace

namespace zoo {

std::string output_of(const Model& model) {
  if (offers(model, Classifier::capability)) return "logits";
  if (offers(model, Regressor::capability)) return "predictions";
  if (offers(model, SequenceModel::capability)) return "steps";
  if (offers(model, Encoder::capability)) return "features";
  return offers(model, Restorer::capability) ? "restored" : "generated";
}

at::Tensor output_for(Model& model, const Fields& fields, const Preprocess& preprocess) {
  const std::string kind = output_of(model);
  std::vector<at::Tensor> state;
  if (kind == "steps") return require<SequenceModel>(model).unroll(fields, state);
  if (kind == "restored") return preprocess.restore("input", require<Restorer>(model).restore(fields));
  const at::Tensor features = require<Encoder>(model, "predict").encode(fields);
  if (kind == "logits") return require<Classifier>(model).classify(features);
  if (kind == "features") return features;
  return preprocess.restore("target", require<Regressor>(model).regress(features));
}

namespace {

std::vector<std::int64_t> empty_shape(const Model& model) {
  const std::string kind = output_of(model);
  if (kind == "logits") return {0, dynamic_cast<const Classifier&>(model).classes()};
  if (kind == "predictions") return {0, dynamic_cast<const Regressor&>(model).outputs()};
  if (kind == "steps") return {0, 0, dynamic_cast<const SequenceModel&>(model).step_outputs()};
  if (kind == "features") return {0, dynamic_cast<const Encoder&>(model).feature_size()};
  std::vector<std::int64_t> shape = model.signature().inputs.at("input").shape;
  shape.insert(shape.begin(), 0);
  return shape;
}

}  // namespace

at::Tensor compute(Model& model, const Fields& batch, const Preprocess& preprocess) {
  const FieldInfo info = input_info(model.signature());
  const c10::Device device = device_of(model);
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> outputs;
  const std::int64_t count = batch.input().size(0);
  for (std::int64_t begin = 0; begin < count; begin += part_size) {
    Fields fields = rows_between(batch, begin, std::min(count, begin + part_size));
    fields.set("input", as_stored(fields.input(), info));
    for (const auto& key : fields.keys()) fields.set(key, fields[key].to(device));
    preprocess.apply(fields);
    outputs.push_back(output_for(model, fields, preprocess).cpu());
  }
  return outputs.empty() ? at::empty(empty_shape(model)) : at::cat(outputs);
}

}  // namespace zoo

at::Tensor Pretrained::predict(const at::Tensor& raw) const {
  Fields fields;
  fields.set("input", raw);
  return predict_batch(fields);
}

at::Tensor Pretrained::predict_batch(const Fields& raw) const {
  check_ready(*model);
  const at::Tensor& input = raw.input();
  check_number(input);
  const Signature signature = model->signature();
  const FieldInfo& info = input_info(signature);
  const Preprocess preprocess = preprocess_of(*model, info, input.scalar_type());
  Fields batch;
  const auto raw_shape = preprocess.raw_shape(info.shape);
  batch.set("input", raw_shape ? as_batch(input, *raw_shape) : input);
  for (const char* each : {"length", "condition"}) {
    if (raw.has(each)) batch.set(each, raw[each].reshape({-1}).to(at::kLong));
  }
  return zoo::compute(*model, batch, preprocess);
}

}  // namespace vaetl
