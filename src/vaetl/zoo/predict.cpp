#include <fmt/ranges.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/pass.hpp"
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

// (N, …), from (N, …) or one example.
at::Tensor as_batch(const at::Tensor& raw, const FieldInfo& info) {
  if (!is_number(raw)) {
    throw DataError({"predict", "a dense tensor of uint8 or float", raw.defined() ? raw.toString() : "none", {}});
  }
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

at::Tensor Pretrained::predict(const at::Tensor& raw) const {
  check_ready(*model);
  const Signature signature = model->signature();
  const FieldInfo& info = input_info(signature);
  const at::Tensor batch = as_batch(raw, info);
  const Preprocess preprocess = preprocess_of(*model, info, batch.scalar_type());
  auto& encoder = dynamic_cast<Encoder&>(*model);
  auto* classifier = offers(*model, Classifier::capability) ? dynamic_cast<Classifier*>(model.get()) : nullptr;
  const c10::Device device = device_of(*model);
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> outputs{at::empty({0, classifier ? classifier->classes() : encoder.feature_size()})};
  for (const at::Tensor& part : batch.split(part_size)) {
    if (part.size(0) == 0) continue;
    Fields fields;
    fields.set("input", part.to(device));
    preprocess.apply(fields);
    const at::Tensor features = encoder.encode(fields);
    outputs.push_back((classifier ? classifier->classify(features) : features).cpu());
  }
  return at::cat(outputs);
}

}  // namespace vaetl
