// vaetl-encode: what a model's encoder makes of data, for other programs, for TensorBoard's projector, and as a map.
#include "vaetl/recipe/encode.hpp"

#include <filesystem>
#include <optional>

#include "apps/support/described.hpp"
#include "apps/support/program.hpp"
#include "apps/support/scored_data.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/npy.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/metrics/embedding.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

constexpr std::int64_t judged_neighbours = 12;

struct Form {
  std::string extension;  // "/" of a folder
  std::string map;        // empty: the latents themselves
  bool drawn() const { return extension == ".png" || extension == ".svg"; }
};

// Found out before anything is computed.
Form form_of(const Arguments& arguments) {
  if (!arguments.has("out")) {
    throw ConfigError(
        {"command line", "--out FILE.npy, FILE.csv, FOLDER/, FILE.png or FILE.svg", "none", "see --help"});
  }
  const std::string out = arguments.text("out");
  Form form{out.ends_with('/') ? "/" : std::filesystem::path(out).extension().string(), arguments.text("map")};
  const std::vector<std::string> forms = {".npy", ".csv", "/", ".png", ".svg"}, maps = {"pca", "tsne"};
  if (std::count(forms.begin(), forms.end(), form.extension) == 0) {
    throw ConfigError({"--out", "FILE.npy, FILE.csv, FOLDER/, FILE.png or FILE.svg", quote(out), {}});
  }
  if (arguments.has("map") && std::count(maps.begin(), maps.end(), form.map) == 0) {
    throw ConfigError({"--map", join(maps), quote(form.map), did_you_mean(form.map, maps)});
  }
  if (form.drawn() && form.map.empty()) {
    throw ConfigError({"--out", "--map pca or --map tsne for a picture", quote(out) + " alone", {}});
  }
  if (form.extension == "/" && !form.map.empty()) {
    throw ConfigError({"--map", "none for a folder, as the projector makes its own maps", quote(form.map), {}});
  }
  return form;
}

at::Tensor map_of(const Arguments& arguments, const Form& form, const at::Tensor& latents) {
  if (form.map == "pca") return metrics::principal_components(latents, 2);
  const metrics::TsneOptions options{
      .perplexity = arguments.number("perplexity", metrics::TsneOptions().perplexity, between(1, 1000))};
  std::optional<ProgressBar> bar;
  if (!arguments.has("quiet") && detect_style(stderr).terminal) bar.emplace("t-SNE", options.iterations);
  return metrics::tsne(latents, options, [&](std::int64_t step) {
    if (bar) bar->update(step);
  });
}

// Both maps' faithfulness says whether t-SNE was worth it.
std::map<std::string, double> map_metrics(const at::Tensor& latents, const at::Tensor& map) {
  const std::int64_t count = latents.size(0);
  if (count < 3 * judged_neighbours || count > metrics::most_tsne_points) return {};
  return {{"trustworthiness", metrics::trustworthiness(latents, map, judged_neighbours)},
          {"trustworthiness_pca",
           metrics::trustworthiness(latents, metrics::principal_components(latents, 2), judged_neighbours)}};
}

void write_map(const std::string& out, const Form& form, const recipe::Latents& latents, const at::Tensor& map) {
  const Scatter plot = recipe::scatter_of(latents, map, form.map == "pca" ? "principal components" : "t-SNE");
  if (form.extension == ".svg") write_atomically(out, scatter_svg(plot));
  if (form.extension == ".png") write_png(out, scatter_picture(plot));
  if (form.extension == ".npy") write_npy(out, map);
  if (form.extension == ".csv") recipe::write_latents_csv(out, latents, map, /*map=*/true);
}

void write_latents(const std::string& out, const Form& form, const recipe::Latents& latents) {
  if (form.extension == ".npy") write_npy(out, latents.values);
  if (form.extension == ".csv") recipe::write_latents_csv(out, latents, latents.values, /*map=*/false);
  if (form.extension == "/") recipe::write_projector(out, latents);
}

recipe::EncodeOptions encode_options(const Arguments& arguments, const Form& form, std::int64_t examples) {
  recipe::EncodeOptions options;
  if (arguments.has("count")) options.count = arguments.integer("count", at_least(1));
  if (arguments.has("seed")) options.sample = arguments.seed();
  if (arguments.has("seed") && !arguments.has("count")) {
    throw ConfigError({"--seed", "--count N, of which it draws them", "none", "leave it out"});
  }
  const std::int64_t count = options.count == 0 ? examples : std::min(options.count, examples);
  if (form.map == "tsne" && count > metrics::most_tsne_points) {
    throw ConfigError({"--map tsne", fmt::format("at most {} examples", metrics::most_tsne_points),
                       fmt::format("{}", count),
                       fmt::format("--count {} takes the first, with --seed 0 a sample", metrics::most_tsne_points)});
  }
  if (arguments.has("perplexity") && 3 * arguments.number("perplexity", 0, {}) > static_cast<double>(count)) {
    throw ConfigError(
        {"--perplexity", fmt::format("at most a third of the {} examples", count), arguments.text("perplexity"), {}});
  }
  if (form.extension == "/") options.thumbnails = recipe::sprite_side(count);
  return options;
}

Result encode(const Arguments& arguments) {
  const std::string reference = arguments.only("MODEL");
  const Form form = form_of(arguments);
  if (arguments.has("perplexity") && form.map != "tsne") {
    throw ConfigError({"--perplexity", "--map tsne", "another", "leave it out"});
  }
  set_threads(arguments);
  const c10::Device device = choose_device(arguments.text("device", "auto"));
  const Pretrained loaded = load_model(arguments, reference);
  const ScoredData data = scored_data(arguments, *loaded.model);
  const recipe::EncodeOptions options = encode_options(arguments, form, data.examples.size());
  loaded.model->to(device);
  const recipe::Latents latents = recipe::encode(*loaded.model, data.examples, options);
  const std::string out = arguments.text("out");
  Result result{.json = {{"model", reference}, {"data", data.about()}, {"out", out}}};
  result.json["data"]["examples"] = latents.values.size(0);
  result.json["features"] = latents.values.size(1);
  if (form.map.empty()) {
    write_latents(out, form, latents);
    return result;
  }
  const at::Tensor map = map_of(arguments, form, latents.values);
  write_map(out, form, latents, map);
  const auto metrics = map_metrics(latents.values, map);
  result.json["metrics"] = metrics;
  result.text = metrics_text(metrics);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-encode",
      .synopsis = "vaetl-encode MODEL --data REF --out FILE [options]",
      .purpose = "writes latents, and maps of them",
      .flags = data_flags({out_flag("FILE",
                                    "FILE.npy: an array (N, F); FILE.csv: with number and label; FOLDER/: for "
                                    "TensorBoard's projector; FILE.png, FILE.svg: a map"),
                           {"map", "pca|tsne", "two coordinates instead of the latents"},
                           {"count", "N", "the first N examples (all)"},
                           {"seed", "N", "draws those of --count instead"},
                           {"perplexity", "P", "of t-SNE: neighbours that count (30)"},
                           model_flag(),
                           device_flag(),
                           threads_flag()}),
      .notes =
          "MODEL is a zoo name, a run folder, an entry's folder or a weights file, of any model that\n"
          "encodes; of a VAE the latents are the means of the posterior. `tensorboard --logdir FOLDER`\n"
          "shows a folder, with the examples' pictures where the model sees pictures. A map is coloured\n"
          "by class; printed is its trustworthiness, 1 where all neighbours in the map are neighbours\n"
          "among the latents, beside that of the first two principal components. t-SNE takes 5000\n"
          "examples at most.\n",
      .example = "  vaetl-encode fashion-mnist-conv-vae --data fashion-mnist --count 2000 --map tsne --out map.png\n",
      .run = encode};
  run_program(program, argc, argv);
}
