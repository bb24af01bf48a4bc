#include "vaetl/recipe/summary.hpp"

#include <ATen/Parallel.h>
#include <torch/version.h>

#include "vaetl/core/device.hpp"
#include "vaetl/core/memory.hpp"
#include "vaetl/data/known_sets.hpp"
#include "vaetl/metrics/metric.hpp"

namespace vaetl::recipe {
namespace {

std::int64_t examples_a_step(const Prepared& prepared) {
  const std::int64_t own = prepared.data.pipeline.streams[0].batch_size;
  return (own > 0 ? own : prepared.trainer.batch_size) * prepared.trainer.accumulate;
}

// Examples of the first stream in the first `steps` steps; the last batch of an epoch may be smaller.
std::int64_t examples_in(const Prepared& prepared, std::int64_t steps) {
  const std::int64_t batch = examples_a_step(prepared), epoch = steps_per_epoch(prepared);
  const std::int64_t size = std::min(prepared.data.train().size(), epoch * batch);
  return steps / epoch * size + std::min(size, steps % epoch * batch);
}

Json describe_transfer(const Recipe& recipe, const Prepared& prepared) {
  if (prepared.from.empty()) return {};
  Json json{{"from", prepared.from}};
  const Json method = read_transfer(*recipe.transfer).expanded_from;
  if (!method.is_null()) json["method"] = method;
  if (!prepared.from_sha256.empty()) json["sha256"] = prepared.from_sha256;
  if (prepared.report) {
    json["report"] = prepared.report->text;
    json["match"] = prepared.report->json;
  }
  if (!prepared.head.is_null()) json["head"] = prepared.head;
  return json;
}

Json describe_groups(const Model& model, const Tuning& tuning) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& item : model.named_parameters()) counts[group_of(model, item.key())] += item.value().numel();
  const auto trained = trained_groups(tuning, model);
  Json groups = Json::array();
  for (const LayerGroup& group : model.groups()) {
    groups.push_back(
        {{"name", group.name}, {"parameters", counts[group.name]}, {"trained", trained.contains(group.name)}});
  }
  return groups;
}

// What a card keeps of it: from where, and how much.
Json describe_transferred(const Recipe& recipe, const Prepared& prepared) {
  Json json = describe_transfer(recipe, prepared);
  const Json match = json.value("match", Json::object());
  for (const char* key : {"report", "match", "head"}) json.erase(key);
  for (const char* key : {"matched", "tensors", "values"}) {
    if (match.contains(key)) json[key] = match[key];
  }
  return json;
}

// With the version of a set that has a name: the checksum of the first of its files as published.
Json describe_training_data(const Data& data) {
  Json json = describe_data(data);
  const data::KnownSet* known = data::find_known(data.train().info().name);
  if (known && !known->files.empty()) json["version"] = "sha256 " + known->files.front().sha256;
  return json;
}

Json directions(const std::map<std::string, double>& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics) json[name] = make_metric(name)->higher_is_better();
  return json;
}

Json optional(bool known, Json value) { return known ? std::move(value) : Json(); }

}  // namespace

std::int64_t steps_per_epoch(const Prepared& prepared) {
  const Stream& first = prepared.data.pipeline.streams[0];
  const std::int64_t batches = vaetl::steps_per_epoch(first, prepared.trainer.batch_size);
  return std::max<std::int64_t>(1, (batches + prepared.trainer.accumulate - 1) / prepared.trainer.accumulate);
}

Json describe_model(const Model& model, const Tuning& tuning) {
  return {
      {"name", model.spec().name}, {"parameters", parameter_count(model)}, {"groups", describe_groups(model, tuning)}};
}

Json describe_data(const Data& data) {
  const DatasetInfo& info = data.train().info();
  const auto size = [](const std::optional<Dataset>& part) { return part ? part->size() : 0; };
  Json json{{"name", info.name},
            {"sha256", info.sha256},
            {"licence", info.licence},
            {"classes", info.classes},
            {"train", data.train().size()}};
  for (std::size_t i = 1; i < data.pipeline.streams.size(); ++i) {
    json["streams"][data.pipeline.streams[i].name] = data.pipeline.streams[i].data.size();
  }
  json["validation"] = size(data.pipeline.validation);
  json["test"] = size(data.test);
  return json;
}

Json summarise_run(const Recipe& recipe, const RunSettings& settings, const Prepared& prepared, const Run& run,
                   const std::map<std::string, double>& metrics) {
  const std::int64_t before = std::max<std::int64_t>(0, run.resumed_from);
  const auto examples = static_cast<double>(examples_in(prepared, run.steps) - examples_in(prepared, before));
  return {
      {"kind", "train"},
      {"name", recipe.name},
      {"status", run.interrupted ? "interrupted" : "done"},
      {"ended", optional(!run.ended.empty(), run.ended)},
      {"rewinds", run.rewinds},
      {"seconds", run.seconds},
      {"steps", run.steps},
      {"epochs", run.epochs},
      {"resumed_from", optional(run.resumed_from >= 0, run.resumed_from)},
      {"metrics", metrics},
      {"higher_is_better", directions(metrics)},
      {"training", run.metrics},
      {"model", describe_model(*prepared.model, prepared.tuning)},
      {"device", choose_device(settings.device).str()},
      {"threads", at::get_num_threads()},
      {"vaetl", VAETL_VERSION},
      {"torch", TORCH_VERSION},
      {"peak_memory_mb", optional(run.peak_memory_mb > 0, std::max(run.peak_memory_mb, peak_memory_mb()))},
      {"warnings", run.warnings},
      {"samples_per_second", optional(run.seconds > 0, std::round(examples / std::max(run.seconds, 1e-9)))},
      {"waiting_share", optional(run.seconds > 0, std::round(1e4 * run.waiting / std::max(run.seconds, 1e-9)) / 1e4)},
      {"command", settings.command},
      {"data", describe_data(prepared.data)},
      {"transfer", describe_transfer(recipe, prepared)}};
}

Json provenance(const Recipe& recipe, const RunSettings& settings, const Prepared& prepared, const Run& run) {
  Json json{{"data", describe_training_data(prepared.data)},
            {"seed", recipe.seed},
            {"vaetl", VAETL_VERSION},
            {"torch", TORCH_VERSION},
            {"device", choose_device(settings.device).str()},
            {"threads", at::get_num_threads()},
            {"steps", run.steps},
            {"seconds", run.seconds}};
  if (!prepared.from_sha256.empty()) json["transfer"] = describe_transferred(recipe, prepared);
  return json;
}

}  // namespace vaetl::recipe
