#include "vaetl/train/evaluate.hpp"

#include <ATen/core/grad_mode.h>

#include "vaetl/data/prefetch.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/objectives/objective.hpp"
#include "vaetl/train/evaluation_mode.hpp"
#include "vaetl/train/features.hpp"

namespace vaetl {
namespace {

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

// What metrics that compare with the training data have to know of them, computed once for all.
void learn(const std::vector<std::shared_ptr<Metric>>& scorers, const std::vector<std::string>& names, Model& model,
           const std::optional<Dataset>& training) {
  std::optional<Dataset> known;
  for (std::size_t i = 0; i < scorers.size(); ++i) {
    if (!scorers[i]->compares_with_training()) continue;
    if (!training || !training->has("target")) {
      throw ConfigError({"metric " + names[i], "labelled training data to compare with",
                         training ? "data without labels" : "none", "leave this metric out"});
    }
    if (!known) known = extract(model, *training);
    scorers[i]->learn(known->column("features"), known->labels(), known->classes());
  }
}

}  // namespace

void visit(Model& model, const Pipeline& data, const std::function<void(Pass&)>& use, std::int64_t batch_size) {
  visit_batches(
      model, data, [&](Pass& pass, Batch&) { use(pass); }, batch_size);
}

void visit_batches(Model& model, const Pipeline& data, const std::function<void(Pass&, Batch&)>& use,
                   std::int64_t batch_size) {
  const Dataset& examples = data.streams.at(0).data;
  if (examples.size() == 0) throw DataError({"data", "examples", "an empty set", "choose another split"});
  const at::NoGradGuard no_grad;
  const EvaluationMode mode(model);
  Feed feed(in_storage_order(data), preprocess_for(model, examples),
            {.batch_size = batch_size, .device = device_of(model)});
  const std::int64_t steps = feed.steps_per_epoch();
  Prefetch ahead(std::move(feed), automatic_workers(data), steps);
  for (std::int64_t step = 0; step < steps; ++step) {
    Batch batch = ahead.at(0, step);
    Pass pass(model, batch);
    use(pass, batch);
  }
}

std::map<std::string, double> evaluate(Model& model, const Pipeline& data, const std::vector<std::string>& metrics,
                                       const EvaluateOptions& options) {
  std::vector<std::shared_ptr<Metric>> scorers;
  for (const auto& name : metrics) scorers.push_back(make_metric(name, "evaluate"));
  const EvaluationNoise noise(device_of(model));
  learn(scorers, metrics, model, options.training);
  bool checked = false;
  visit(model, data, [&](Pass& pass) {
    for (std::size_t i = 0; i < scorers.size(); ++i) {
      if (!checked) check_needs(scorers[i]->needs(), model, {{"train", pass.fields()}}, "metric " + metrics[i]);
      scorers[i]->update(pass);
    }
    checked = true;
    if (options.between) options.between();
  });
  std::map<std::string, double> result;
  for (std::size_t i = 0; i < scorers.size(); ++i) result[metrics[i]] = scorers[i]->result();
  return result;
}

}  // namespace vaetl
