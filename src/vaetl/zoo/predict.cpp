#include <fmt/ranges.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/pass.hpp"
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

std::string with_batch(const std::vector<std::int64_t>& shape) {
  return fmt::format("(N, {})", fmt::join(shape, ", "));
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
at::Tensor as_batch(const at::Tensor& raw, const FieldInfo& info) {
  const at::IntArrayRef shape(info.shape);
  if (raw.sizes() == shape) return raw.unsqueeze(0);
  if (raw.dim() > 0 && raw.sizes().slice(1) == shape) return raw;
  throw DataError({"predict",
                   fmt::format("input of shape {} or {}", with_batch(info.shape), shape_text(info.shape)),
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

void check_ready(const Model& model) {
  require_capability(model, Encoder::capability, "predict");
  if (!model.is_training()) return;
  throw ConfigError({"predict", "a model in evaluation mode", "one in training mode", "call model->eval()"});
}

}  // namespace

namespace zoo {

std::string output_of(const Model& model) {
  if (offers(model, Classifier::capability)) return "logits";
  return offers(model, Regressor::capability) ? "predictions" : "features";
}

at::Tensor compute(Model& model, const at::Tensor& batch, const Preprocess& preprocess) {
  auto& encoder = require<Encoder>(model, "predict");
  const std::string output = output_of(model);
  auto* classifier = dynamic_cast<Classifier*>(&model);
  auto* regressor = dynamic_cast<Regressor*>(&model);
  const std::int64_t width = output == "logits"        ? classifier->classes()
                             : output == "predictions" ? regressor->outputs()
                                                       : encoder.feature_size();
  const c10::Device device = device_of(model);
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> outputs{at::empty({0, width})};
  for (const at::Tensor& part : batch.split(part_size)) {
    if (part.size(0) == 0) continue;
    Fields fields;
    fields.set("input", part.to(device));
    preprocess.apply(fields);
    const at::Tensor features = encoder.encode(fields);
    const at::Tensor result = output == "logits"        ? classifier->classify(features)
                              : output == "predictions" ? preprocess.restore("target", regressor->regress(features))
                                                        : features;
    outputs.push_back(result.cpu());
  }
  return at::cat(outputs);
}

}  // namespace zoo

at::Tensor Pretrained::predict(const at::Tensor& raw) const {
  check_ready(*model);
  check_number(raw);
  const Signature signature = model->signature();
  const FieldInfo& info = input_info(signature);
  const Preprocess preprocess = preprocess_of(*model, info, raw.scalar_type());
  return zoo::compute(*model, preprocess.keeps_shape() ? as_batch(raw, info) : raw, preprocess);
}

}  // namespace vaetl
