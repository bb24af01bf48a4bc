// vaetl-detect: what is odd among examples, by how unlike they are to what a model of normal data knows.
#include "vaetl/recipe/detect.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <filesystem>

#include "apps/support/described.hpp"
#include "apps/support/program.hpp"
#include "apps/support/scored_data.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/known_sets.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/metrics/auroc.hpp"
#include "vaetl/recipe/pixels.hpp"
#include "vaetl/train/evaluate.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

constexpr std::int64_t pictured = 40, pictured_a_row = 10;

std::string class_of(const DatasetInfo& info, std::int64_t label) {
  const auto i = static_cast<std::size_t>(label);
  return i < info.classes.size() ? info.classes[i] : std::to_string(label);
}

// (N) bool: whose class is among these, which are given by name or number. ConfigError for one that there is not.
at::Tensor of_classes(const Dataset& data, const std::vector<std::string>& wanted) {
  const at::Tensor labels = data.labels();
  std::vector<std::string> names;
  for (std::int64_t k = 0; k < data.classes(); ++k) names.push_back(class_of(data.info(), k));
  at::Tensor result = at::zeros({data.size()}, at::kBool);
  for (const std::string& text : wanted) {
    auto found = std::find(names.begin(), names.end(), text);
    for (auto it = names.begin(); found == names.end() && it != names.end(); ++it) {
      if (std::to_string(it - names.begin()) == text) found = it;
    }
    if (found == names.end()) {
      throw ConfigError({"--normal-classes", "classes of " + data.info().name + ", by name or number", quote(text),
                         did_you_mean(text, names)});
    }
    result = result.logical_or(labels.eq(found - names.begin()));
  }
  return result;
}

// One set of examples, and what is known of them.
struct Scored {
  Dataset data;
  std::string split;
  at::Tensor odd = {};     // bool (N): what their labels say; undefined: nothing
  at::Tensor scores = {};  // float64 (N)
};

// What is to be scored: --data, and --odd-data where there are any.
std::vector<Scored> given_data(const Arguments& arguments, const Model& model) {
  const ScoredData data = scored_data(arguments, model);
  std::vector<Scored> sets = {{data.examples, data.split}};
  if (arguments.has("normal-classes")) {
    sets[0].odd = of_classes(data.examples, arguments.list("normal-classes")).logical_not();
  }
  if (!arguments.has("odd-data")) return sets;
  if (arguments.has("normal-classes")) {
    throw ConfigError(
        {"command line", "one way to say what is odd", "--normal-classes and --odd-data", "leave one out"});
  }
  const ScoredData other = scored_data(arguments, model, arguments.text("odd-data"), arguments.text("odd-split"));
  sets[0].odd = at::zeros({data.examples.size()}, at::kBool);
  sets.push_back({other.examples, other.split, at::ones({other.examples.size()}, at::kBool)});
  return sets;
}

// --normal, or the named set that the weights were trained on; none where nobody says.
std::optional<Dataset> normal_data(const Arguments& arguments, const Pretrained& loaded) {
  std::string reference = arguments.text("normal");
  const Json& training = loaded.card.training;
  if (reference.empty() && training.contains("data") && training["data"].is_object()) {
    const std::string name = training["data"].value("name", "");
    if (data::find_known(name) != nullptr) reference = name;
  }
  if (reference.empty()) return std::nullopt;
  const Dataset data =
      scored_data(arguments, *loaded.model, reference, arguments.text("normal-split", "train")).examples;
  if (!arguments.has("normal-classes") || data.classes() == 0) return data;
  return data.select(of_classes(data, arguments.list("normal-classes")));
}

// Where odd begins.
double threshold_of(const Arguments& arguments, const recipe::Detector& detector,
                    const std::optional<Dataset>& normal) {
  if (arguments.has("threshold")) {
    if (!arguments.has("quantile")) return arguments.number("threshold", 0, {});
    throw ConfigError({"command line", "--threshold or --quantile", "both", "leave one out"});
  }
  const double share = arguments.number("quantile", 0.99, between(0, 1));
  if (normal) {
    const double threshold = recipe::quantile(detector.scores(*normal), share);
    if (std::isfinite(threshold)) return threshold;
    throw DataError({"normal data", fmt::format("finite scores, at least up to the quantile {}", share),
                     "one that is not", "take what has no measure out of them, or give --threshold X"});
  }
  throw ConfigError({"command line", "normal data, whose scores say where odd begins", "none",
                     "name them with --normal REF, or give --threshold X"});
}

bool wants_lines(const Arguments& arguments) {
  const std::string extension = std::filesystem::path(arguments.text("out")).extension().string();
  if (extension.empty() || extension == ".csv" || extension == ".jsonl") return extension == ".jsonl";
  throw ConfigError({"--out", "FILE.csv or FILE.jsonl", quote(arguments.text("out")), {}});
}

void add_rows(const Scored& set, double threshold, Json& rows) {
  const at::Tensor labels = set.data.classes() > 0 ? set.data.labels() : at::Tensor();
  const DatasetInfo& info = set.data.info();
  for (std::int64_t i = 0; i < set.data.size(); ++i) {
    const double score = set.scores[i].item<double>();
    Json row{{"data", info.name}, {"input", set.data.name(i)}, {"score", score}, {"odd", score > threshold}};
    if (!set.data.named()) row["input"] = i + 1;
    if (labels.defined()) row["label"] = class_of(info, labels[i].item<std::int64_t>());
    rows.push_back(std::move(row));
  }
}

Json rows_json(const std::vector<Scored>& sets, double threshold) {
  Json rows = Json::array();
  for (const Scored& set : sets) add_rows(set, threshold, rows);
  return rows;
}

std::string lines_text(const Json& rows) {
  std::string text;
  for (const Json& row : rows) text += row.dump() + "\n";
  return text;
}

std::string table_rows(const Json& rows) {
  std::vector<std::vector<std::string>> cells;
  for (const Json& row : rows) {
    const Json& input = row["input"];
    cells.push_back({row["data"], input.is_string() ? input.get<std::string>() : input.dump(),
                     row["score"].is_null() ? "inf" : row["score"].dump(), row["odd"].get<bool>() ? "yes" : "no",
                     row.value("label", "")});
  }
  return csv_text({"data", "input", "score", "odd", "label"}, cells);
}

// The inputs of the examples with the highest scores, the oddest first.
at::Tensor oddest(Model& model, const std::vector<Scored>& sets, const at::Tensor& scores) {
  const std::int64_t count = std::min(pictured, scores.size(0));
  const at::Tensor order = std::get<1>(scores.sort(0, /*descending=*/true)).slice(0, 0, count);
  std::vector<at::Tensor> inputs;
  for (std::int64_t k = 0; k < count; ++k) {
    std::int64_t i = order[k].item<std::int64_t>();
    const bool second = i >= sets[0].data.size();
    if (second) i -= sets[0].data.size();
    const Dataset one = sets[second ? 1 : 0].data.select(at::full({1}, i, at::kLong));
    visit(model, one, [&](Pass& pass) { inputs.push_back(pass.fields().input().to(at::kCPU)); });
  }
  return at::cat(inputs);
}

// --pictures; whether it can be done is found out before anything is computed.
void check_pictures(const Arguments& arguments, const Model& model) {
  if (!arguments.has("pictures")) return;
  const std::string file = arguments.text("pictures");
  if (!file.ends_with(".png")) throw ConfigError({"--pictures", "FILE.png", quote(file), {}});
  if (recipe::sees_pictures(model)) return;
  throw ConfigError({"--pictures", "a model that sees pictures of 1 or 3 channels", "another", "leave it out"});
}

Json summary_json(const Arguments& arguments, const recipe::Detector& detector, const std::vector<Scored>& sets,
                  const at::Tensor& scores, double threshold) {
  Json json{{"model", arguments.only("MODEL")},
            {"score", detector.score()},
            {"threshold", threshold},
            {"examples", scores.size(0)},
            {"odd", scores.gt(threshold).to(at::kDouble).mean().item<double>()}};
  json["data"] = Json::array();
  for (const Scored& set : sets) {
    json["data"].push_back({{"name", set.data.info().name},
                            {"split", set.split},
                            {"examples", set.data.size()},
                            {"odd", set.scores.gt(threshold).to(at::kDouble).mean().item<double>()}});
  }
  if (!sets[0].odd.defined()) return json;
  std::vector<at::Tensor> odd;
  for (const Scored& set : sets) odd.push_back(set.odd);
  const auto area = metrics::area_under_curve(scores, at::cat(odd));
  json["auroc"] = {{"value", area.value}, {"low", area.low}, {"high", area.high}};
  return json;
}

void tell_summary(const Arguments& arguments, const Json& json) {
  tell(arguments, fmt::format("score {}, odd above {:.6g}: {:.2f} % of {} examples", json["score"].get<std::string>(),
                              json["threshold"].get<double>(), 100 * json["odd"].get<double>(),
                              thousands(json["examples"].get<std::int64_t>())));
  if (!json.contains("auroc")) return;
  const Json& area = json["auroc"];
  tell(arguments, fmt::format("AUROC {:.4f} (95 % interval {:.4f} to {:.4f})", area["value"].get<double>(),
                              area["low"].get<double>(), area["high"].get<double>()));
}

// What would do nothing is a mistake.
[[noreturn]] void refuse_unread(const std::string& flag, const std::string& wanted) {
  throw ConfigError({"--" + flag, wanted, "none", "leave it out"});
}

recipe::DetectOptions options_of(const Arguments& arguments, const Model& model) {
  recipe::DetectOptions options{.score = arguments.text("score"), .seed = arguments.seed()};
  const std::vector<std::string> allowed = recipe::scores_for(model);
  if (options.score.empty() && !allowed.empty()) options.score = allowed[0];
  if (arguments.has("seed") && !arguments.has("samples")) refuse_unread("seed", "--samples N, which it draws");
  if (arguments.has("samples")) options.samples = arguments.integer("samples", between(1, 10000));
  return options;
}

Result detect(const Arguments& arguments) {
  const std::string reference = arguments.only("MODEL");
  set_threads(arguments);
  const c10::Device device = choose_device(arguments.text("device", "auto"));
  const bool lines = wants_lines(arguments);
  const Pretrained loaded = load_model(arguments, reference);
  check_pictures(arguments, *loaded.model);
  loaded.model->to(device);
  std::vector<Scored> sets = given_data(arguments, *loaded.model);
  const recipe::DetectOptions options = options_of(arguments, *loaded.model);
  const bool needs_normal = !arguments.has("threshold") || options.score == "latent";
  if (arguments.has("odd-split") && !arguments.has("odd-data")) refuse_unread("odd-split", "--odd-data REF");
  const auto normal = needs_normal ? normal_data(arguments, loaded) : std::nullopt;
  const recipe::Detector detector(*loaded.model, options, normal);
  const double threshold = threshold_of(arguments, detector, normal);
  for (const char* flag : {"normal", "normal-split"}) {
    if (arguments.has(flag) && !needs_normal) refuse_unread(flag, "no --threshold, or --score latent");
  }
  std::vector<at::Tensor> all;
  for (Scored& set : sets) all.push_back(set.scores = detector.scores(set.data));
  const at::Tensor scores = at::cat(all);
  Result result{summary_json(arguments, detector, sets, scores, threshold), {}};
  const Json rows = rows_json(sets, threshold);
  const std::string text = lines ? lines_text(rows) : table_rows(rows);
  if (arguments.has("pictures")) {
    const at::Tensor pixels = recipe::to_pixels(*loaded.model, oddest(*loaded.model, sets, scores));
    write_png(arguments.text("pictures"), image_grid(pixels, pictured_a_row));
  }
  tell_summary(arguments, result.json);
  if (arguments.has("out")) {
    write_atomically(arguments.text("out"), text);
    result.json["out"] = arguments.text("out");
  } else {
    result.text = text;
    result.json["rows"] = rows;
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-detect",
      .synopsis = "vaetl-detect MODEL --data REF [options]",
      .purpose = "finds what is odd",
      .flags = data_flags(
          {{"score", "NAME", "reconstruction, elbo or latent (the first of these that the model allows)"},
           {"samples", "N", "samples of z for elbo (none: the posterior's mean)"},
           seed_flag("of the samples (0)"),
           {"normal", "REF", "normal data, whose scores say where odd begins (the set that MODEL was trained on)"},
           {"normal-split", "NAME", "of the normal data (train)"},
           {"quantile", "Q", "odd is what scores above this share of the normal data (0.99)"},
           {"threshold", "X", "odd is what scores above X, whatever the normal data"},
           {"normal-classes", "A,B", "by name or number: all others are odd, and AUROC is told"},
           {"odd-data", "REF", "data that are all odd, while --data are all normal: AUROC is told"},
           {"odd-split", "NAME", "of the odd data (test, or all of a set without splits)"},
           out_flag("FILE", "FILE.csv or FILE.jsonl, a row for each example (CSV on stdout)"),
           {"pictures", "FILE.png", "the forty oddest, the first one first"},
           model_flag(),
           device_flag(),
           threads_flag()}),
      .notes =
          "MODEL is a zoo name, a run folder, an entry's folder or a weights file, best trained on\n"
          "normal data alone. Scores are high where an example is unlike them: reconstruction is the\n"
          "mean squared error of what an autoencoder rebuilds, elbo −ELBO in nats, latent the\n"
          "Mahalanobis distance of an encoder's features from those of the normal data, by class\n"
          "where these have labels. The summary goes to stderr.\n",
      .example = "  vaetl-detect fashion-mnist-conv-vae --data fashion-mnist --odd-data mnist --out odd.csv\n",
      .run = detect};
  run_program(program, argc, argv);
}
