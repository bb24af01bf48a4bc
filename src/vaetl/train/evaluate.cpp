#include "vaetl/train/evaluate.hpp"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include "vaetl/core/random.hpp"
#include "vaetl/data/prefetch.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/objectives/objective.hpp"

namespace vaetl {
namespace {

// Evaluation mode for a while; each module gets its own mode back, frozen ones too.
class EvaluationMode {
 public:
  explicit EvaluationMode(Model& model) {
    for (auto& module : model.modules()) modes_.emplace_back(module, module->is_training());
    model.eval();
  }
  ~EvaluationMode() {
    for (auto& [module, training] : modes_) module->train(training);
  }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> modes_;
};

// Noise in a metric (a sampled latent) is the same at every evaluation, and the program's own random state is
// untouched.
class EvaluationNoise {
 public:
  explicit EvaluationNoise(c10::Device device) {
    for (const c10::Device each : {c10::Device(c10::kCPU), device}) {
      at::Generator generator = at::globalContext().defaultGenerator(each);
      states_.emplace_back(generator, generator.get_state());
    }
    seed(random_key(0, Purpose::evaluate));
  }
  ~EvaluationNoise() {
    for (auto& [generator, state] : states_) generator.set_state(state);
  }
  EvaluationNoise(const EvaluationNoise&) = delete;
  EvaluationNoise& operator=(const EvaluationNoise&) = delete;

 private:
  std::vector<std::pair<at::Generator, at::Tensor>> states_;
};

Pipeline in_storage_order(const Pipeline& data) {
  Stream stream = data.streams.at(0);
  stream.name = "train";
  stream.order = "sequential";
  stream.views = 1;
  stream.batch_size = 0;
  stream.augment.clear();
  return Pipeline(std::vector<Stream>{stream});
}

Preprocess preprocess_for(const Model& model, const Dataset& data) {
  if (!model.preprocess().is_null()) return Preprocess::from_json(model.preprocess());
  return Preprocess::standard(data.info(), model.signature());
}

}  // namespace

void visit(Model& model, const Pipeline& data, const std::function<void(Pass&)>& use, std::int64_t batch_size) {
  const Dataset& examples = data.streams.at(0).data;
  if (examples.size() == 0) throw DataError({"data", "examples", "an empty set", "choose another split"});
  const at::NoGradGuard no_grad;
  const EvaluationMode mode(model);
  Feed feed(in_storage_order(data), preprocess_for(model, examples),
            {.batch_size = batch_size, .device = device_of(model)});
  const std::int64_t steps = feed.steps_per_epoch();
  Prefetch ahead(std::move(feed), automatic_workers(data), steps);
  for (std::int64_t step = 0; step < steps; ++step) {
    const Batch batch = ahead.at(0, step);
    Pass pass(model, batch);
    use(pass);
  }
}

std::map<std::string, double> evaluate(Model& model, const Pipeline& data, const std::vector<std::string>& metrics) {
  std::vector<std::shared_ptr<Metric>> scorers;
  for (const auto& name : metrics) scorers.push_back(make_metric(name, "evaluate"));
  const EvaluationNoise noise(device_of(model));
  bool checked = false;
  visit(model, data, [&](Pass& pass) {
    for (std::size_t i = 0; i < scorers.size(); ++i) {
      if (!checked) check_needs(scorers[i]->needs(), model, {{"train", pass.fields()}}, "metric " + metrics[i]);
      scorers[i]->update(pass);
    }
    checked = true;
  });
  std::map<std::string, double> result;
  for (std::size_t i = 0; i < scorers.size(); ++i) result[metrics[i]] = scorers[i]->result();
  return result;
}

Dataset extract(Model& encoder, const Pipeline& data) {
  require<Encoder>(encoder);
  std::vector<at::Tensor> features;
  visit(encoder, data, [&](Pass& pass) { features.push_back(pass.features().to(at::kCPU)); });
  return data.streams.at(0).data.with("features", at::cat(features));
}

}  // namespace vaetl
