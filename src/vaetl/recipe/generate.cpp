#include "vaetl/recipe/generate.hpp"

#include <ATen/ATen.h>

#include <charconv>
#include <numbers>

#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/pass.hpp"

namespace vaetl::recipe {
namespace {

constexpr std::int64_t generated_part = 500;  // bounds the memory of activations

void check_condition(const Model& model, std::int64_t condition) {
  if (conditions_of(model) == 0) require_capability(model, Conditional::capability, "class");
  if (condition < conditions_of(model)) return;
  throw ConfigError(
      {"class", fmt::format("one from 0 to {}", conditions_of(model) - 1), std::to_string(condition), {}});
}

// N(0, 1), or with a truncation t what of it lies within [−t, t], by the inverse of its distribution function.
at::Tensor draw_normal(const GenerateOptions& options, std::int64_t size) {
  auto random = make_generator(random_key(options.seed, Purpose::evaluate));
  const std::vector<std::int64_t> shape = {options.count, size};
  if (options.truncation == 0) return options.temperature * at::randn(shape, random, at::TensorOptions());
  const double inside = std::erf(options.truncation / std::numbers::sqrt2);
  const at::Tensor u = at::rand(shape, random, at::TensorOptions(at::kDouble)).mul_(2).sub_(1);
  return u.mul_(inside).erfinv_().mul_(std::numbers::sqrt2 * options.temperature).to(at::kFloat);
}

std::vector<std::string> names_in(const Json& classes, const std::string& path) {
  std::vector<std::string> names;
  Codec<std::vector<std::string>>::read(classes, path, names, {});
  return names;
}

}  // namespace

std::int64_t conditions_of(const Model& model) {
  const auto* conditional = dynamic_cast<const Conditional*>(&model);
  return conditional ? conditional->conditions() : 0;
}

at::Tensor conditions_for(const Model& model, const GenerateOptions& options) {
  if (options.condition) {
    check_condition(model, *options.condition);
    return at::full({options.count}, *options.condition, at::kLong);
  }
  const std::int64_t conditions = conditions_of(model);
  return conditions > 0 ? at::arange(options.count, at::kLong).remainder(conditions) : at::Tensor();
}

// Noise beyond the size of z.
std::int64_t choosing_columns(const Model& model) {
  const auto* decoder = dynamic_cast<const Decoder*>(&model);
  const auto* generator = dynamic_cast<const Generator*>(&model);
  return decoder && generator ? generator->noise_size() - decoder->latent_size() : 0;
}

at::Tensor draw_noise(const Model& model, const GenerateOptions& options) {
  const auto* generator = dynamic_cast<const Generator*>(&model);
  if (generator == nullptr) require_capability(model, Generator::capability, "generate");
  const at::Tensor noise = draw_normal(options, generator->noise_size());
  const std::int64_t choosing = choosing_columns(model);
  if (choosing == 0) return noise;
  auto random = make_generator(random_key(options.seed, Purpose::evaluate, 1));
  noise.slice(1, 0, choosing).copy_(at::randn({options.count, choosing}, random, at::TensorOptions()));
  return noise;
}

Generated generate_from(Model& model, const at::Tensor& noise, const at::Tensor& condition) {
  auto& generator = require<Generator>(model, "generate");
  const at::NoGradGuard no_grad;
  model.eval();
  const c10::Device device = device_of(model);
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < noise.size(0); from += generated_part) {
    const std::int64_t to = std::min(from + generated_part, noise.size(0));
    const at::Tensor classes = condition.defined() ? condition.slice(0, from, to).to(device) : at::Tensor();
    parts.push_back(generator.generate(noise.slice(0, from, to).to(device), classes).to(at::kCPU));
  }
  return {at::cat(parts), condition};
}

Generated generate(Model& model, const GenerateOptions& given) {
  const auto options = from_json<GenerateOptions>(to_json(given), "generate");
  require_capability(model, Generator::capability, "generate");
  const at::Tensor condition = conditions_for(model, options);
  vaetl::seed(random_key(options.seed, Purpose::noise));
  return generate_from(model, draw_noise(model, options), condition);
}

std::vector<std::string> class_names(const Pretrained& loaded) {
  if (!loaded.card.classes.empty()) return loaded.card.classes;
  if (!loaded.model->preprocess().is_null()) {
    const Json reader = Preprocess::from_json(loaded.model->preprocess()).reader();
    if (reader.is_object() && reader.contains("classes")) return names_in(reader["classes"], "preprocess: classes");
  }
  const Json& training = loaded.card.training;
  if (!training.contains("data") || !training["data"].is_object()) return {};
  auto names = names_in(training["data"].value("classes", Json::array()), "training: data: classes");
  if (std::ssize(names) != conditions_of(*loaded.model)) names.clear();
  return names;
}

std::int64_t class_index(const Pretrained& loaded, const std::string& text) {
  std::int64_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error == std::errc{} && end == text.data() + text.size() && index >= 0) return index;
  const auto classes = class_names(loaded);
  const auto found = std::find(classes.begin(), classes.end(), text);
  if (found != classes.end()) return found - classes.begin();
  throw ConfigError({"class",
                     classes.empty() ? "a whole number from 0" : "a whole number from 0 or one of " + join(classes),
                     quote(text), did_you_mean(text, classes)});
}

}  // namespace vaetl::recipe
