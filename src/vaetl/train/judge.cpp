#include "vaetl/train/judge.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/metrics/frechet.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl {
namespace {

constexpr std::int64_t part = 500, most_of_all = 2000, most_of_class = 500;

struct Opinion {
  at::Tensor features, classes;  // (N, F), (N), on the CPU
};

Opinion opinion_of(Model& classifier, const Dataset& data) {
  std::vector<at::Tensor> features, classes;
  visit(classifier, data, [&](Pass& pass) {
    features.push_back(pass.features().to(at::kCPU));
    classes.push_back(pass.logits().argmax(1).to(at::kCPU));
  });
  return {at::cat(features), at::cat(classes)};
}

// As the model puts them out → as the data store them.
at::Tensor in_data_form(const at::Tensor& samples, const Preprocess& preprocess, const DatasetInfo& info) {
  const at::Tensor values = preprocess.restore("input", samples);
  const FieldInfo& input = info.fields.at("input");
  if (input.shape != values.sizes().slice(1).vec()) {
    throw DataError({"data", "inputs of the generator's shape " + shape_text(values.sizes().slice(1).vec()),
                     shape_text(input.shape), "judge it by the data that it was trained on"});
  }
  return at::isIntegralType(input.dtype, false) ? values.clamp(input.low, input.high).round().to(input.dtype) : values;
}

// As many samples as `real` has examples, in their place, of their classes.
Dataset samples_like(Model& model, const Dataset& real, std::uint64_t seed) {
  auto& generator = require<Generator>(model, "judging samples");
  const auto preprocess = Preprocess::from_json(model.preprocess().is_null() ? Json::array() : model.preprocess());
  const auto shape = model.signature().inputs.at("input").shape;
  if (preprocess.raw_shape(shape) != shape) {
    throw DataError({"judging samples", "a generator whose preprocessing can be undone", "one that changes the shape",
                     "train it on the values themselves"});
  }
  const bool conditional = offers(model, Conditional::capability);
  const c10::Device device = device_of(model);
  const at::NoGradGuard no_grad;
  auto random = make_generator(random_key(seed, Purpose::evaluate));
  std::vector<at::Tensor> samples;
  for (std::int64_t start = 0; start < real.size(); start += part) {
    const std::int64_t end = std::min(start + part, real.size());
    const at::Tensor noise = at::randn({end - start, generator.noise_size()}, random, at::TensorOptions());
    const at::Tensor classes = conditional ? real.labels().slice(0, start, end).to(device) : at::Tensor();
    const at::Tensor made = generator.generate(noise.to(device), classes).to(at::kCPU);
    samples.push_back(in_data_form(made, preprocess, real.info()));
  }
  return real.with("input", at::cat(samples));
}

at::Tensor first_of(const at::Tensor& features, std::int64_t most) {
  return features.slice(0, 0, std::min(most, features.size(0)));
}

double class_variety(const at::Tensor& samples, const at::Tensor& real, const at::Tensor& labels,
                     std::int64_t classes) {
  double sum = 0;
  std::int64_t counted = 0;
  for (std::int64_t label = 0; label < classes; ++label) {
    const at::Tensor mine = first_of(at::nonzero(labels == label).squeeze(1), most_of_class);
    if (mine.size(0) < 2) continue;
    const double spread = metrics::mean_distance(real.index_select(0, mine));
    if (spread == 0) continue;
    sum += metrics::mean_distance(samples.index_select(0, mine)) / spread;
    ++counted;
  }
  if (counted > 0) return sum / static_cast<double>(counted);
  throw DataError({"class_variety", "a class with two different examples", "none", "choose a larger split"});
}

double agreement(const at::Tensor& predicted, const at::Tensor& labels) {
  return (predicted == labels).to(at::kDouble).mean().item<double>();
}

void check_judge(Model& generator, Model& classifier, const Dataset& data) {
  require<Generator>(generator, "judging samples");
  const std::int64_t classes = require<Classifier>(classifier, "judging samples").classes();
  if (data.size() < 4) throw DataError({"judging samples", "at least four examples", std::to_string(data.size()), {}});
  if (!offers(generator, Conditional::capability)) return;
  const std::int64_t conditions = require<Conditional>(generator).conditions();
  if (conditions == classes) return;
  throw ConfigError({"judging samples", fmt::format("a classifier of the generator's {} classes", conditions),
                     fmt::format("one of {}", classes), "choose one that was trained on the same data"});
}

}  // namespace

std::map<std::string, double> judge_samples(Model& generator, Model& classifier, const Dataset& data,
                                            std::uint64_t seed) {
  check_judge(generator, classifier, data);
  auto random = make_generator(random_key(seed, Purpose::split));
  const std::int64_t half = data.size() / 2;
  const at::Tensor order = at::randperm(data.size(), random, at::TensorOptions().dtype(at::kLong));
  const Dataset second = data.select(order.slice(0, half, 2 * half));
  const Opinion reference = opinion_of(classifier, data.select(order.slice(0, 0, half)));
  const Opinion real = opinion_of(classifier, second);
  const Opinion made = opinion_of(classifier, samples_like(generator, second, seed));
  std::map<std::string, double> scores = {
      {"frechet", metrics::frechet_distance(made.features, reference.features)},
      {"frechet_floor", metrics::frechet_distance(real.features, reference.features)},
      {"variety", metrics::mean_distance(first_of(made.features, most_of_all)) /
                      metrics::mean_distance(first_of(real.features, most_of_all))}};
  if (!offers(generator, Conditional::capability)) return scores;
  const at::Tensor labels = second.labels();
  scores["class_confirmed"] = agreement(made.classes, labels);
  scores["class_confirmed_real"] = agreement(real.classes, labels);
  scores["class_variety"] =
      class_variety(made.features, real.features, labels, require<Conditional>(generator).conditions());
  return scores;
}

}  // namespace vaetl
