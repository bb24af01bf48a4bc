#include "vaetl/zoo/test_vector.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/nn/restorer.hpp"
#include "vaetl/zoo/compute.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::zoo {
namespace {

constexpr std::int64_t any_size = 16;  // of what may have any

// A float as the shortest decimal that reads as the same float.
double short_decimal(float value) { return std::stod(fmt::format("{}", value)); }

std::vector<double> values_of(const at::Tensor& values) {
  const at::Tensor all = values.to(at::kDouble).contiguous();
  return {all.const_data_ptr<double>(), all.const_data_ptr<double>() + all.numel()};
}

std::vector<std::int64_t> one_example(const FieldInfo& info) {
  std::vector<std::int64_t> shape = {1};
  for (const std::int64_t size : info.shape) shape.push_back(size == -1 ? any_size : size);
  return shape;
}

// Bytes, or token ids other than padding.
std::vector<double> draw_input(const FieldInfo& info) {
  auto generator = make_generator(random_key(0, Purpose::evaluate));
  const bool ids = info.dtype == at::kLong;
  const std::int64_t low = ids ? 1 : 0, end = ids ? static_cast<std::int64_t>(info.high) + 1 : 256;
  const std::int64_t count = std::min(c10::multiply_integers(one_example(info)), most_told_values);
  return values_of(at::randint(low, end, {count}, generator, at::TensorOptions(at::kLong)));
}

// Of three decimals, for people.
std::vector<double> draw_noise_vector(std::int64_t size) {
  auto generator = make_generator(random_key(0, Purpose::evaluate));
  std::vector<double> noise = values_of(at::randn({size}, generator, at::TensorOptions(at::kDouble)));
  for (double& value : noise) value = std::round(value * 1000) / 1000;
  return noise;
}

std::vector<std::int64_t> last_class(const Model& model) {
  if (!offers(model, Conditional::capability)) return {};
  return {dynamic_cast<const Conditional&>(model).conditions() - 1};
}

bool reads_other_fields(const Signature& signature) {
  return !signature.inputs.contains("input") ||
         std::any_of(signature.inputs.begin(), signature.inputs.end(),
                     [](const auto& field) { return field.first != "input" && field.first != "condition"; });
}

// Without its output; empty where there can be none.
TestVector drawn_vector(const Model& model) {
  const Signature signature = model.signature();
  TestVector vector{.condition = last_class(model), .of = output_of(model)};
  if (reads_other_fields(signature)) return vector;
  if (offers(model, Encoder::capability) || offers(model, Restorer::capability)) {
    const FieldInfo& input = signature.inputs.at("input");
    vector.shape = one_example(input);
    const bool raw = Preprocess::from_json(model.preprocess()).raw_shape(input.shape) == input.shape;
    vector.stage = raw ? "raw" : "preprocessed";
    if (c10::multiply_integers(vector.shape) <= most_input_values) vector.input = draw_input(input);
  } else if (offers(model, Generator::capability)) {
    vector.shape = {1, dynamic_cast<const Generator&>(model).noise_size()};
    vector.stage = "noise";
    if (vector.shape[1] <= most_input_values) vector.input = draw_noise_vector(vector.shape[1]);
  }
  return vector;
}

at::Tensor generated_by(Model& model, const at::Tensor& noise, const at::Tensor& condition) {
  const at::NoGradGuard no_grad;
  const c10::Device device = device_of(model);
  return require<Generator>(model, "test vector")
      .generate(noise.to(device), condition.defined() ? condition.to(device) : condition)
      .cpu();
}

}  // namespace

at::Tensor input_of(const TestVector& vector) {
  const std::int64_t told = static_cast<std::int64_t>(vector.input.size()),
                     count = c10::multiply_integers(vector.shape);
  return at::tensor(vector.input, at::kDouble)
      .repeat({(count + told - 1) / told})
      .slice(0, 0, count)
      .view(vector.shape);
}

at::Tensor compute_test_vector(const std::shared_ptr<Model>& model, const TestVector& vector) {
  const auto inputs = model->signature().inputs;
  const bool ids = vector.stage != "noise" && inputs.contains("input") && inputs.at("input").dtype == at::kLong;
  const at::Tensor input = input_of(vector).to(ids ? at::kLong : at::kFloat);
  const at::Tensor condition = vector.condition.empty() ? at::Tensor() : at::tensor(vector.condition, at::kLong);
  if (vector.stage == "noise") return generated_by(*model, input, condition);
  Fields fields;
  fields.set("input", input);
  if (condition.defined()) fields.set("condition", condition);
  return vector.stage == "raw" ? Pretrained{model}.predict_batch(fields) : compute(*model, fields, Preprocess());
}

std::optional<TestVector> make_test_vector(const std::string& place, const std::shared_ptr<Model>& model) {
  TestVector vector = drawn_vector(*model);
  if (vector.input.empty()) return std::nullopt;
  const at::Tensor output = compute_test_vector(model, vector).to(at::kFloat).contiguous();
  if (output.numel() > most_input_values) return std::nullopt;
  if (!output.isfinite().all().item<bool>()) {
    throw DivergedError({place, "finite " + vector.of, "values that are not", "nothing was saved"});
  }
  for (const float value : std::span(output.const_data_ptr<float>(), output.numel())) {
    vector.output.push_back(short_decimal(value));
  }
  // Rounding differs between machines in proportion to the values.
  vector.tolerance *= std::max(1.0, short_decimal(output.abs().max().item<float>()));
  return vector;
}

}  // namespace vaetl::zoo
