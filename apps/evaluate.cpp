// vaetl-evaluate: scores a model on data, with the preprocessing that its weights carry.
#include "vaetl/train/evaluate.hpp"
#include "apps/support/program.hpp"
#include "apps/support/skipped.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/zoo/zoo.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

const std::vector<std::string> split_names = {"test", "validation", "train"};

const Dataset& named_split(const Splits& splits, const std::string& name) {
  return name == "test" ? splits.test : name == "validation" ? splits.validation : splits.train;
}

// --split; without it the test split, or all there is where the set has no splits.
std::string choose_split(const Splits& splits, const Arguments& arguments) {
  const bool whole = splits.test.size() == 0 && splits.validation.size() == 0;
  const std::string split = arguments.text("split", whole ? "train" : "test");
  if (std::count(split_names.begin(), split_names.end(), split) > 0) return split;
  throw ConfigError({"--split", join(split_names), quote(split), did_you_mean(split, split_names)});
}

// The files are read as the model's training data were.
Splits open_data(const Arguments& arguments, const Model& model) {
  if (!arguments.has("data")) throw ConfigError({"command line", "--data REF", "none", "see --help"});
  Reading reading = reading_of(arguments);
  if (!model.preprocess().is_null()) reading.fitted = Preprocess::from_json(model.preprocess()).reader();
  return data::open(arguments.text("data"), reading);
}

Dataset split_of(const Splits& splits, const std::string& split, const Arguments& arguments) {
  const Dataset& chosen = named_split(splits, split);
  if (chosen.size() > 0) return chosen;
  throw DataError({arguments.text("data"), "examples in the split " + quote(split), "none", "choose another --split"});
}

// Every metric that the model's capabilities and the data's fields allow.
std::vector<std::string> fitting_metrics(const Model& model, const Dataset& data) {
  std::vector<std::string> fitting;
  for (const std::string& name : registry<Metric>().names()) {
    const Needs needs = registry<Metric>().make({name, Json::object()})->needs();
    const bool able = std::all_of(needs.capabilities.begin(), needs.capabilities.end(),
                                  [&](const std::string& capability) { return offers(model, capability); });
    const bool known = std::all_of(needs.fields.begin(), needs.fields.end(),
                                   [&](const std::string& field) { return data.has(field); });
    if (able && known) fitting.push_back(name);
  }
  return fitting;
}

std::vector<std::string> metrics_for(const Arguments& arguments, const Model& model, const Dataset& data) {
  if (arguments.has("metrics")) return arguments.list("metrics");
  const auto metrics = fitting_metrics(model, data);
  if (!metrics.empty()) return metrics;
  throw ConfigError({"metrics", "one that fits the model (" + join(capabilities(model)) + ") and the data", "none",
                     "choose labelled data, or a model with a head"});
}

Result score(const Arguments& arguments) {
  const std::string reference = arguments.only("MODEL");
  set_threads(arguments);
  const c10::Device device = choose_device(arguments.text("device", "auto"));
  const Pretrained loaded = zoo::load(reference);
  const Splits splits = open_data(arguments, *loaded.model);
  const std::string split = choose_split(splits, arguments);
  const Dataset data = split_of(splits, split, arguments);
  loaded.model->to(device);
  const auto scores = evaluate(*loaded.model, data, metrics_for(arguments, *loaded.model, data));
  const Json about{{"name", data.info().name}, {"split", split}, {"examples", data.size()}};
  return {{{"model", reference}, {"data", about}, {"metrics", scores}}, metrics_text(scores)};
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{.name = "vaetl-evaluate",
                        .synopsis = "vaetl-evaluate MODEL --data REF [options]",
                        .purpose = "scores a model on data",
                        .flags = {{"data", "REF", "fashion-mnist, csv:FILE?target=COLUMN, …"},
                                  {"split", "NAME", "test, validation or train (test, or all of a set without splits)"},
                                  strict_flag(),
                                  {"metrics", "A,B", "what to measure (all that fit the model and the data)"},
                                  device_flag(),
                                  threads_flag()},
                        .notes = "MODEL is a zoo name, a run folder, an entry's folder or a weights file.\n",
                        .example = "  vaetl-evaluate runs/few --data fashion-mnist --metrics accuracy\n",
                        .run = score};
  return run_program(program, argc, argv);
}
