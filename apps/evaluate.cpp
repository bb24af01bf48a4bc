// vaetl-evaluate: scores a model on data, with the preprocessing that its weights carry.
#include "vaetl/train/evaluate.hpp"
#include "apps/support/described.hpp"
#include "apps/support/program.hpp"
#include "apps/support/scored_data.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/train/judge.hpp"
#include "vaetl/zoo/zoo.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

bool serves(const Needs& needs, const Model& model, const Dataset& data) {
  const auto offered = [&](const std::string& capability) { return offers(model, capability); };
  const auto known = [&](const std::string& field) { return data.has(field); };
  return std::all_of(needs.capabilities.begin(), needs.capabilities.end(), offered) &&
         std::all_of(needs.fields.begin(), needs.fields.end(), known);
}

enum class Reads { yes, of_other_data, never };

// What the metric says of the first examples: a ConfigError is about the kind of model or data, a DataError about what
// the data hold.
Reads try_metric(Metric& metric, Model& model, const Dataset& few) {
  try {
    visit(model, few, [&](Pass& pass) { metric.update(pass); });
    return Reads::yes;
  } catch (const ConfigError&) {
    return Reads::never;
  } catch (const DataError&) {
    return Reads::of_other_data;
  }
}

// Every metric that the model's capabilities and the data's fields allow, but for those that are only made on request.
// Labels of steps are no values, and values no labels: of metrics that need the same, those that read the data are
// taken. Where none does, all are, so that the mistake in the data is told.
std::vector<std::string> fitting_metrics(Model& model, const Dataset& data) {
  const Dataset few = data.select(at::arange(std::min<std::int64_t>(data.size(), 2), at::kLong));
  std::map<std::vector<std::string>, std::map<Reads, std::vector<std::string>>> kinds;
  for (const std::string& name : registry<Metric>().names()) {
    const auto metric = make_metric(name);
    const Needs needs = metric->needs();
    if (metric->on_request() || !serves(needs, model, data)) continue;
    std::vector<std::string> kind = needs.capabilities;
    kind.insert(kind.end(), needs.fields.begin(), needs.fields.end());
    kinds[kind][try_metric(*metric, model, few)].push_back(name);
  }
  std::vector<std::string> fitting;
  for (auto& [kind, by] : kinds) {
    const auto& taken = by[Reads::yes].empty() ? by[Reads::of_other_data] : by[Reads::yes];
    fitting.insert(fitting.end(), taken.begin(), taken.end());
  }
  return fitting;
}

std::vector<std::string> metrics_for(const Arguments& arguments, Model& model, const Dataset& data) {
  if (arguments.has("metrics")) return arguments.list("metrics");
  const auto metrics = fitting_metrics(model, data);
  if (!metrics.empty()) return metrics;
  throw ConfigError({"metrics", "one that fits the model (" + join(capabilities(model)) + ") and the data", "none",
                     "choose labelled data, or a model with a head"});
}

// What knn compares with.
std::optional<Dataset> training_for(const Arguments& arguments, const ScoredData& scored) {
  if (!arguments.has("labels-per-class")) return scored.training;
  const std::int64_t count = arguments.integer("labels-per-class", between(1, 1e9));
  if (scored.training) return scored.training->take_per_class(count, arguments.seed());
  throw ConfigError({"--labels-per-class", "a set with training data besides those that are scored", "none",
                     "choose another --split, or leave it out"});
}

// What is measured: metrics, and what a classifier says of a generator's samples.
std::map<std::string, double> measure(const Arguments& arguments, Model& model, const ScoredData& scored,
                                      c10::Device device) {
  const Dataset& data = scored.examples;
  std::map<std::string, double> scores;
  if (arguments.has("metrics") || !arguments.has("judge")) {
    scores = evaluate(model, data, metrics_for(arguments, model, data), {.training = training_for(arguments, scored)});
  }
  if (!arguments.has("judge")) return scores;
  const Pretrained judge = zoo::load(arguments.text("judge"));
  judge.model->to(device);
  const std::int64_t seed = arguments.has("seed") ? arguments.integer("seed", at_least(0)) : 0;
  scores.merge(judge_samples(model, *judge.model, data, static_cast<std::uint64_t>(seed)));
  return scores;
}

Result score(const Arguments& arguments) {
  const std::string reference = arguments.only("MODEL");
  set_threads(arguments);
  const c10::Device device = choose_device(arguments.text("device", "auto"));
  const Pretrained loaded = load_model(arguments, reference);
  const ScoredData data = scored_data(arguments, *loaded.model);
  loaded.model->to(device);
  const auto scores = measure(arguments, *loaded.model, data, device);
  return {{{"model", reference}, {"data", data.about()}, {"metrics", scores}}, metrics_text(scores)};
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-evaluate",
      .synopsis = "vaetl-evaluate MODEL --data REF [options]",
      .purpose = "scores a model on data",
      .flags = data_flags({model_flag(),
                           {"metrics", "A,B", "what to measure, such as nll?samples=5000 (all quick ones that fit)"},
                           {"judge", "MODEL", "a classifier: what it says of this generator's samples"},
                           {"labels-per-class", "K", "labelled examples of every class that knn compares with (all)"},
                           {"seed", "N", "of the samples that are judged, and of the choice of those labels (0)"},
                           device_flag(),
                           threads_flag()}),
      .notes =
          "MODEL is a zoo name, a run folder, an entry's folder or a weights file. A file that others\n"
          "made, safetensors or PyTorch's, needs --model, and perhaps FILE?key=…&strip_prefix=….\n"
          "--judge: as many samples as half of the data has examples, against the other half, in\n"
          "the classifier's feature space: frechet, with frechet_floor between the real halves, and\n"
          "variety; of a conditional generator class_confirmed and class_variety besides.\n"
          "--metrics knn, or knn?k=20: the nearest neighbours in the training split of the same data.\n",
      .example = "  vaetl-evaluate runs/few --data fashion-mnist --metrics accuracy\n",
      .run = score};
  return run_program(program, argc, argv);
}
