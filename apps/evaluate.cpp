// vaetl-evaluate: scores a model on data, with the preprocessing that its weights carry.
#include "vaetl/train/evaluate.hpp"
#include "apps/support/described.hpp"
#include "apps/support/program.hpp"
#include "apps/support/scored_data.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/reader.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/report/matrix.hpp"
#include "vaetl/train/bootstrap.hpp"
#include "vaetl/train/confusion.hpp"
#include "vaetl/train/judge.hpp"
#include "vaetl/zoo/measure.hpp"
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

// What is measured: values, and where --intervals asks for them how sure each is.
struct Measured {
  std::map<std::string, double> values = {};
  std::map<std::string, zoo::IntervalCard> intervals = {};
};

std::map<std::string, zoo::IntervalCard> bootstrapped(const Arguments& arguments, Model& model, const Dataset& data,
                                                      const std::map<std::string, double>& values) {
  BootstrapOptions options{.count = arguments.integer("bootstrap", between(20, 100000))};
  if (arguments.has("seed")) options.seed = arguments.seed();
  std::optional<ProgressBar> bar;
  if (!arguments.has("quiet") && detect_style(stderr).terminal) bar.emplace("resamples", 100, "%");
  options.progress = [&](double share) {
    if (bar) bar->update(static_cast<std::int64_t>(100 * share));
  };
  std::vector<std::string> names;
  for (const auto& [name, value] : values) {
    if (std::isfinite(value)) names.push_back(name);
  }
  std::map<std::string, zoo::IntervalCard> intervals;
  for (const auto& [name, ends] : bootstrap(model, data, names, options)) {
    intervals[name] = {.low = ends.low,
                       .high = ends.high,
                       .level = 0.95,
                       .method = fmt::format("percentiles of {} bootstrap resamples", options.count)};
  }
  return intervals;
}

Measured measure_metrics(const Arguments& arguments, Model& model, const ScoredData& scored) {
  const Dataset& data = scored.examples;
  Measured measured{
      evaluate(model, data, metrics_for(arguments, model, data), {.training = training_for(arguments, scored)})};
  if (arguments.has("bootstrap")) {
    measured.intervals = bootstrapped(arguments, model, data, measured.values);
  } else if (arguments.has("intervals")) {
    measured.intervals = zoo::intervals(model, data, measured.values);
  }
  return measured;
}

// Metrics, and what a classifier says of a generator's samples.
Measured measure(const Arguments& arguments, Model& model, const ScoredData& scored, c10::Device device) {
  Measured measured;
  if (arguments.has("metrics") || !arguments.has("judge")) measured = measure_metrics(arguments, model, scored);
  if (!arguments.has("judge")) return measured;
  const Pretrained judge = zoo::load(arguments.text("judge"));
  judge.model->to(device);
  const std::int64_t seed = arguments.has("seed") ? arguments.integer("seed", at_least(0)) : 0;
  measured.values.merge(judge_samples(model, *judge.model, scored.examples, static_cast<std::uint64_t>(seed)));
  return measured;
}

std::string measured_text(const Measured& measured) {
  if (measured.intervals.empty()) return metrics_text(measured.values);
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : measured.values) {
    const auto found = measured.intervals.find(name);
    const bool sure = found != measured.intervals.end();
    rows.push_back({name, fmt::format("{:.4f}", value), sure ? fmt::format("{:.4f}", found->second.low) : "",
                    sure ? fmt::format("{:.4f}", found->second.high) : ""});
  }
  return table_text({"metric", "value", "from", "to (95 %)"}, rows);
}

// Names of the labels: the model's own, else those of the data, else numbers.
std::vector<std::string> label_names(const Pretrained& loaded, const Dataset& data, std::int64_t classes) {
  const auto count = static_cast<std::size_t>(classes);
  if (loaded.card.classes.size() == count) return loaded.card.classes;
  if (data.info().classes.size() == count) return data.info().classes;
  return readers::numbered_classes(classes);
}

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(); }

std::string cell(double value) { return std::isfinite(value) ? fmt::format("{:.4f}", value) : "–"; }

void tell_classes(const Confusion& found, const std::vector<std::string>& names, Result& result) {
  std::vector<std::vector<std::string>> rows;
  Json json = Json::array();
  for (std::int64_t label = 0; label < found.classes(); ++label) {
    const ClassScore score = found.of_class(label);
    const std::string& name = names[static_cast<std::size_t>(label)];
    json.push_back({{"class", name},
                    {"examples", score.examples},
                    {"precision", finite(score.precision)},
                    {"recall", finite(score.recall)},
                    {"f1", finite(score.f1)}});
    rows.push_back({name, std::to_string(score.examples), cell(score.precision), cell(score.recall), cell(score.f1)});
  }
  result.json["per_class"] = std::move(json);
  result.text += "\n" + table_text({"class", "examples", "precision", "recall", "F1"}, rows);
}

std::string confusion_csv(const Confusion& found, const std::vector<std::string>& names) {
  std::vector<std::string> header = {"label"};
  header.insert(header.end(), names.begin(), names.end());
  std::vector<std::vector<std::string>> rows;
  for (std::int64_t label = 0; label < found.classes(); ++label) {
    rows.push_back({names[static_cast<std::size_t>(label)]});
    for (std::int64_t called = 0; called < found.classes(); ++called) {
      rows.back().push_back(std::to_string(found.counts[label][called].item<std::int64_t>()));
    }
  }
  return csv_text(header, rows);
}

// Found out before anything is computed.
void check_confusion_file(const Arguments& arguments) {
  const std::string file = arguments.text("confusion");
  if (file.empty() || file.ends_with(".svg") || file.ends_with(".csv")) return;
  throw ConfigError({"--confusion", "FILE.svg or FILE.csv", quote(file), {}});
}

// --per-class and --confusion.
void tell_confusion(const Arguments& arguments, const Pretrained& loaded, const Dataset& data, Result& result) {
  if (!arguments.has("per-class") && !arguments.has("confusion")) return;
  const Confusion found = confusion(*loaded.model, data);
  const auto names = label_names(loaded, data, found.classes());
  if (arguments.has("per-class")) tell_classes(found, names, result);
  if (!arguments.has("confusion")) return;
  const std::string file = arguments.text("confusion");
  const Matrix matrix{
      .title = "Confusion matrix", .counts = found.counts, .names = names, .rows = "label", .columns = "called"};
  write_atomically(file, file.ends_with(".svg") ? matrix_svg(matrix) : confusion_csv(found, names));
  result.json["confusion"] = file;
}

Result score(const Arguments& arguments) {
  const std::string reference = arguments.only("MODEL");
  check_confusion_file(arguments);
  set_threads(arguments);
  const c10::Device device = choose_device(arguments.text("device", "auto"));
  const Pretrained loaded = load_model(arguments, reference);
  const ScoredData data = scored_data(arguments, *loaded.model);
  loaded.model->to(device);
  const Measured measured = measure(arguments, *loaded.model, data, device);
  Result result{{{"model", reference}, {"data", data.about()}, {"metrics", measured.values}}, measured_text(measured)};
  for (const auto& [name, interval] : measured.intervals) {
    result.json["intervals"][name] = {{"low", interval.low}, {"high", interval.high}, {"method", interval.method}};
  }
  tell_confusion(arguments, loaded, data.examples, result);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-evaluate",
      .synopsis = "vaetl-evaluate MODEL --data REF [options]",
      .purpose = "scores a model on data",
      .flags = data_flags({model_flag(),
                           {"metrics", "A,B", "what to measure, such as nll?samples=5000 (all quick ones that fit)"},
                           {"intervals", "", "95 % intervals of the metrics, by their spread over parts of the data"},
                           {"bootstrap", "N", "such intervals by N resamples of the examples (1000 is usual)"},
                           {"per-class", "", "a classifier's precision, recall and F1 a class"},
                           {"confusion", "FILE", "which classes are taken for which: FILE.svg, FILE.csv"},
                           {"judge", "MODEL", "a classifier: what it says of this generator's samples"},
                           {"labels-per-class", "K", "labelled examples of every class that knn compares with (all)"},
                           {"seed", "N", "of the samples that are judged, the choice of those labels, resamples (0)"},
                           device_flag(),
                           threads_flag()}),
      .notes =
          "MODEL is a zoo name, a run folder, an entry's folder or a weights file. A file that others\n"
          "made, safetensors or PyTorch's, needs --model, and perhaps FILE?key=…&strip_prefix=….\n"
          "--judge: as many samples as half of the data has examples, against the other half, in\n"
          "the classifier's feature space: frechet, with frechet_floor between the real halves, and\n"
          "variety; of a conditional generator class_confirmed and class_variety besides.\n"
          "--metrics knn, or knn?k=20: the nearest neighbours in the training split of the same data.\n"
          "Only where they are named: top_k?k=5, auroc and ece (calibration) of classifiers, psnr and ssim\n"
          "of what a model rebuilds, nll?samples=1000 of a VAE. `vaetl-train help` lists all.\n",
      .example =
          "  vaetl-evaluate runs/few --data fashion-mnist --metrics accuracy,top_k?k=3,ece --intervals\n"
          "  vaetl-evaluate fashion-mnist-cnn --data fashion-mnist --per-class --confusion confusion.svg\n",
      .run = score};
  run_program(program, argc, argv);
}
