// vaetl-generate: new pictures, arrays and texts from a trained model.
#include "vaetl/recipe/generate.hpp"

#include <cmath>
#include <filesystem>

#include "apps/support/described.hpp"
#include "apps/support/program.hpp"
#include "apps/support/startup.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/npy.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/recipe/generate_text.hpp"
#include "vaetl/recipe/pixels.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

const std::vector<std::string> noise_flags = {"class", "truncation"};
const std::vector<std::string> text_flags = {"prompt", "length", "top-k", "top-p"};

// An option of the other kind of model would be ignored.
void refuse_flags(const Arguments& arguments, const std::vector<std::string>& flags, const std::string& kind) {
  for (const std::string& flag : flags) {
    if (!arguments.has(flag)) continue;
    throw ConfigError({"--" + flag, "a model that makes " + kind, "another", "leave it out"});
  }
}

std::string out_of(const Arguments& arguments, const std::string& forms) {
  if (arguments.has("out")) return arguments.text("out");
  throw ConfigError({"command line", "--out " + forms, "none", "see --help"});
}

Json about(const Arguments& arguments, std::int64_t count) {
  Json json{{"model", arguments.only("MODEL")}, {"count", count}, {"seed", arguments.seed()}};
  if (arguments.has("out")) json["out"] = arguments.text("out");
  return json;
}

// Classes in columns where they take turns, otherwise about a square.
std::int64_t grid_columns(const recipe::Generated& made, const recipe::GenerateOptions& options) {
  if (made.condition.defined() && !options.condition) {
    const std::int64_t classes = made.condition.max().item<std::int64_t>() + 1;
    if (classes <= 32) return classes;
  }
  return static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(options.count))));
}

// FILE.png, FILE.npy or FOLDER/; found out before anything is made.
std::string form_of(const std::string& out, const Model& model) {
  const std::string extension = out.ends_with('/') ? "/" : std::filesystem::path(out).extension().string();
  if (extension == ".npy") return extension;
  if (extension != ".png" && extension != "/") {
    throw ConfigError({"--out", "FILE.png, FILE.npy or FOLDER/", quote(out), {}});
  }
  if (recipe::sees_pictures(model)) return extension;
  throw ConfigError({"--out", "FILE.npy, as the model makes no pictures of 1 or 3 channels", quote(out), {}});
}

// Text to --out or else to stdout.
Result texts_result(const Arguments& arguments, const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += text + "\n";
  Json json = about(arguments, static_cast<std::int64_t>(texts.size()));
  json["texts"] = texts;
  if (!arguments.has("out")) return {json, joined};
  write_atomically(arguments.text("out"), joined);
  return {json, {}};
}

recipe::GenerateOptions generate_options(const Arguments& arguments, const Pretrained& loaded) {
  recipe::GenerateOptions options{.seed = arguments.seed()};
  if (arguments.has("count")) options.count = arguments.integer("count", between(1, 1 << 20));
  if (arguments.has("class")) options.condition = recipe::class_index(loaded, arguments.text("class"));
  options.temperature = arguments.number("temperature", 1, between(0, 100));
  options.truncation = arguments.number("truncation", 0, between(0, 100));
  return options;
}

Result make_examples(const Arguments& arguments, const Pretrained& loaded) {
  refuse_flags(arguments, text_flags, "text step by step");
  require_capability(*loaded.model, Generator::capability, "generate");
  const recipe::GenerateOptions options = generate_options(arguments, loaded);
  if (recipe::sees_text(*loaded.model)) {
    return texts_result(arguments, recipe::texts_of(*loaded.model, recipe::generate(*loaded.model, options).values));
  }
  const std::string out = out_of(arguments, "FILE.png, FILE.npy or FOLDER/"), form = form_of(out, *loaded.model);
  const recipe::Generated made = recipe::generate(*loaded.model, options);
  if (form == ".npy") write_npy(out, recipe::own_units(*loaded.model, made.values));
  if (form == "/") recipe::write_pictures(out, recipe::to_pixels(*loaded.model, made.values));
  if (form == ".png") {
    write_png(out, image_grid(recipe::to_pixels(*loaded.model, made.values), grid_columns(made, options)));
  }
  return {about(arguments, options.count), {}};
}

Result write_text(const Arguments& arguments, const Pretrained& loaded) {
  refuse_flags(arguments, noise_flags, "examples from noise");
  recipe::TextOptions options{.prompt = arguments.text("prompt"), .seed = arguments.seed()};
  if (arguments.has("count")) options.count = arguments.integer("count", between(1, 4096));
  if (arguments.has("length")) options.tokens = arguments.integer("length", between(1, 1 << 20));
  if (arguments.has("top-k")) options.top_k = arguments.integer("top-k", at_least(0));
  options.temperature = arguments.number("temperature", 1, between(0, 100));
  options.top_p = arguments.number("top-p", 1, between(1e-6, 1));
  return texts_result(arguments, recipe::generate_text(*loaded.model, options));
}

Result generate(const Arguments& arguments) {
  const std::string reference = arguments.only("MODEL");
  set_threads(arguments);
  const c10::Device device = choose_device(arguments.text("device", "auto"));
  const Pretrained loaded = load_model(arguments, reference);
  loaded.model->to(device);
  return recipe::writes_text(*loaded.model) ? write_text(arguments, loaded) : make_examples(arguments, loaded);
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-generate",
      .synopsis = "vaetl-generate MODEL --out FILE [options]",
      .purpose = "makes new data",
      .flags = {{"count", "N", "how many (64; of texts 1)"},
                {"class", "K", "the class of all, by number or name (each in turn)"},
                {"temperature", "T", "how bold: a factor on the noise; for text 0 takes the likeliest token (1)"},
                {"truncation", "T", "noise of at most this size; 0: any (0)"},
                {"prompt", "TEXT", "what the text begins with"},
                {"length", "N", "tokens of text (200)"},
                {"top-k", "N", "draw among the N likeliest tokens; 0: all (0)"},
                {"top-p", "P", "draw among the likeliest tokens that have this probability together (1)"},
                seed_flag("of what is drawn (0)"),
                out_flag("FILE", "FILE.png: a grid; FILE.npy: an array; FOLDER/: a PNG file each; text: any file"),
                model_flag(),
                device_flag(),
                threads_flag()},
      .notes =
          "MODEL is a zoo name, a run folder, an entry's folder or a weights file, of a VAE, a GAN or\n"
          "a language model; a file that others made needs --model. The same seed makes the same\n"
          "file. An array is in the data's own units, as far as the weights carry their preprocessing,\n"
          "(N, …). Text goes to stdout where no --out is given.\n",
      .example = "  vaetl-generate fashion-mnist-conv-vae --count 64 --seed 0 --out new.png\n",
      .run = generate};
  return run_program(program, argc, argv);
}
