// vaetl-generate: new pictures, arrays, series, sound and texts from a trained model.
#include "vaetl/recipe/generate.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>

#include <array>
#include <cmath>
#include <filesystem>

#include "apps/support/described.hpp"
#include "apps/support/program.hpp"
#include "apps/support/scored_data.hpp"
#include "apps/support/startup.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/animation.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/npy.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/recipe/further.hpp"
#include "vaetl/recipe/generate_series.hpp"
#include "vaetl/recipe/generate_sound.hpp"
#include "vaetl/recipe/generate_text.hpp"
#include "vaetl/recipe/latent_path.hpp"
#include "vaetl/recipe/pixels.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

const std::vector<std::string> noise_flags = {"class", "truncation", "walk", "from", "to"};
const std::vector<std::string> text_flags = {"prompt", "length", "top-k", "top-p"};
const std::vector<std::string> draw_flags = {"temperature", "truncation", "seed", "walk"};
const std::vector<std::string> end_flags = {"data", "split"};
const std::vector<std::string> picture_flags = {"animate", "scale"};

// An option that does not count would be ignored.
void refuse_flags(const Arguments& arguments, const std::vector<std::string>& flags, const std::string& expected,
                  const std::string& found) {
  for (const std::string& flag : flags) {
    if (arguments.has(flag)) throw ConfigError({"--" + flag, expected, found, "leave it out"});
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

enum class Form { array, grid, pictures, series, sound, sounds };
constexpr const char* forms = "FILE.png, FILE.npy, FILE.csv, FILE.wav or FOLDER/";

// What a model can make of which --out; found out before anything is made.
Form form_of(const std::string& out, const Model& model) {
  const std::string extension = out.ends_with('/') ? "/" : std::filesystem::path(out).extension().string();
  const bool sound = recipe::sees_sound(model), pictures = recipe::sees_pictures(model);
  auto need = [&](bool can, Form form, const char* expected) {
    if (can) return form;
    throw ConfigError({"--out", expected, quote(out), {}});
  };
  if (extension == ".npy") return Form::array;
  if (extension == ".csv") {
    return need(recipe::sees_series(model), Form::series, "FILE.npy, as the model makes no series of values");
  }
  if (extension == ".wav") return need(sound, Form::sound, "FILE.npy, as the model makes no sound");
  if (extension == "/" && sound) return Form::sounds;
  const char* no_pictures = "FILE.npy, as the model makes no pictures of 1 or 3 channels";
  if (extension == "/") return need(pictures, Form::pictures, no_pictures);
  if (extension == ".png") return need(pictures, Form::grid, no_pictures);
  throw ConfigError({"--out", forms, quote(out), {}});
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

// The first example of a file, read as the training data were.
Dataset example_of_file(const Model& model, const std::string& file) {
  const auto stream = recipe::open_further(model, {file});
  for (FurtherExamples examples; stream->next(1, examples);) {
    if (!examples.problems.empty()) throw DataError(examples.problems.front());
    if (!examples.names.empty()) return Dataset::from_tensors(examples.fields);
  }
  throw DataError({file, "an example", "none", {}});
}

// --from and --to: numbers of examples of --data, or files.
std::array<Dataset, 2> ends_of_way(const Arguments& arguments, const Pretrained& loaded) {
  if (!arguments.has("from") || !arguments.has("to")) {
    throw ConfigError({"command line", "--from and --to", "one of them", "see --help"});
  }
  const Model& model = *loaded.model;
  if (!arguments.has("data")) {
    refuse_flags(arguments, {"split"}, "--data REF, of which it is one", "files");
    if (recipe::conditions_of(model) > 0 && !arguments.has("class")) {
      throw ConfigError({"--class", "the class of both files, which the model asks for", "none", {}});
    }
    return {example_of_file(model, arguments.text("from")), example_of_file(model, arguments.text("to"))};
  }
  const Dataset examples = scored_data(arguments, model).examples;
  const auto numbered = [&](const std::string& flag) {
    const std::int64_t number = arguments.integer(flag, between(1, static_cast<double>(examples.size())));
    return examples.select(at::full({1}, number - 1, at::kLong));
  };
  return {numbered("from"), numbered("to")};
}

struct Made {
  recipe::Generated examples;
  std::int64_t columns = 1;   // of a grid of all
  std::int64_t together = 1;  // of one picture of an animation
};

// Classes in columns where they take turns, otherwise about a square.
std::int64_t grid_columns(std::int64_t classes, std::int64_t count) {
  if (classes > 0 && classes <= 32) return classes;
  return static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
}

Made make_drawn(const Arguments& arguments, const Pretrained& loaded) {
  refuse_flags(arguments, end_flags, "--from and --to, which are examples of it", "neither");
  const recipe::GenerateOptions options = generate_options(arguments, loaded);
  Model& model = *loaded.model;
  const std::int64_t turns = options.condition ? 0 : recipe::conditions_of(model);
  if (!arguments.has("walk")) return {recipe::generate(model, options), grid_columns(turns, options.count)};
  const std::int64_t stops = arguments.integer("walk", between(2, 1 << 16));
  return {recipe::walk(model, stops, options), grid_columns(turns, options.count), std::max<std::int64_t>(1, turns)};
}

Made make_between(const Arguments& arguments, const Pretrained& loaded) {
  refuse_flags(arguments, draw_flags, "examples that are drawn", "--from and --to");
  recipe::InterpolateOptions options;
  if (arguments.has("count")) options.count = arguments.integer("count", between(2, 4096));
  std::array<Dataset, 2> ends = ends_of_way(arguments, loaded);
  if (arguments.has("class")) {
    const auto condition = at::full({1}, recipe::class_index(loaded, arguments.text("class")), at::kLong);
    for (Dataset& end : ends) end = end.with("condition", condition);
  }
  return {recipe::interpolate(*loaded.model, ends[0], ends[1], options), std::min<std::int64_t>(options.count, 10)};
}

Made make_asked(const Arguments& arguments, const Pretrained& loaded) {
  const bool between_two = arguments.has("from") || arguments.has("to");
  return between_two ? make_between(arguments, loaded) : make_drawn(arguments, loaded);
}

// Each pixel as a square of --scale.
at::Tensor pixels_of(const Arguments& arguments, const Model& model, const at::Tensor& values) {
  const at::Tensor pixels = recipe::to_pixels(model, values);
  if (!arguments.has("scale")) return pixels;
  const std::int64_t scale = arguments.integer("scale", between(1, 64));
  return pixels.repeat_interleave(scale, 2).repeat_interleave(scale, 3);
}

at::Tensor pictures_in_turn(const at::Tensor& pixels, std::int64_t together) {
  if (together == 1) return pixels;
  std::vector<at::Tensor> pictures;
  for (std::int64_t i = 0; i < pixels.size(0); i += together) {
    pictures.push_back(image_grid(pixels.slice(0, i, i + together), grid_columns(0, together)));
  }
  return at::stack(pictures);
}

void write_pixels(const Arguments& arguments, const Model& model, const Made& made, Form form) {
  const std::string out = arguments.text("out");
  const at::Tensor pixels = pixels_of(arguments, model, made.examples.values);
  if (form == Form::pictures) return recipe::write_pictures(out, pixels);
  if (!arguments.has("animate")) return write_png(out, image_grid(pixels, made.columns));
  write_animation(out, pictures_in_turn(pixels, made.together), arguments.number("animate", 10, between(0.1, 100)));
}

void write_made(const Arguments& arguments, const Pretrained& loaded, const Made& made, Form form) {
  const std::string out = arguments.text("out");
  const Model& model = *loaded.model;
  const auto classes = recipe::class_names(loaded);
  switch (form) {
    case Form::array:
      return write_npy(out, recipe::own_units(model, made.examples.values));
    case Form::series:
      return recipe::write_series(out, model, made.examples, classes);
    case Form::sound:
      return recipe::write_sound(out, model, made.examples, arguments.seed());
    case Form::sounds:
      return recipe::write_sounds(out, model, made.examples, classes, arguments.seed());
    case Form::grid:
    case Form::pictures:
      return write_pixels(arguments, model, made, form);
  }
}

Result make_examples(const Arguments& arguments, const Pretrained& loaded) {
  refuse_flags(arguments, text_flags, "a model that makes text step by step", "another");
  const Model& model = *loaded.model;
  if (recipe::sees_text(model)) {
    refuse_flags(arguments, picture_flags, "pictures", "texts");
    return texts_result(arguments, recipe::texts_of(model, make_asked(arguments, loaded).examples.values));
  }
  const std::string out = out_of(arguments, forms);
  const Form form = form_of(out, model);
  if (form != Form::grid) refuse_flags(arguments, {"animate"}, "--out FILE.png", quote(out));
  if (form != Form::grid && form != Form::pictures) refuse_flags(arguments, {"scale"}, "pictures", quote(out));
  const Made made = make_asked(arguments, loaded);
  write_made(arguments, loaded, made, form);
  return {about(arguments, made.examples.values.size(0)), {}};
}

Result write_text(const Arguments& arguments, const Pretrained& loaded) {
  refuse_flags(arguments, noise_flags, "a model that makes examples from noise or codes", "another");
  refuse_flags(arguments, picture_flags, "pictures", "texts");
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
      .flags =
          {{"count", "N", "how many (64; of texts 1)"},
           {"class", "K", "the class of all, by number or name (each in turn)"},
           {"temperature", "T", "how bold: a factor on the noise; for text 0 takes the likeliest token (1)"},
           {"truncation", "T", "noise of at most this size; 0: any (0)"},
           {"walk", "STOPS", "a way around that passes so many draws, in --count steps"},
           {"from", "A", "a way from one example to another, in --count steps (10): a file, or a number of --data"},
           {"to", "B", "where it ends, likewise"},
           {"data", "REF", "whose examples --from and --to are: fashion-mnist, csv:FILE?target=COLUMN, …"},
           {"split", "NAME", "of --data: test, validation or train (test, or all of a set without splits)"},
           {"animate", "RATE", "FILE.png shows one picture after the other, so many a second"},
           {"scale", "N", "each pixel as N × N (1)"},
           {"prompt", "TEXT", "what the text begins with"},
           {"length", "N", "tokens of text (200)"},
           {"top-k", "N", "draw among the N likeliest tokens; 0: all (0)"},
           {"top-p", "P", "draw among the likeliest tokens that have this probability together (1)"},
           seed_flag("of what is drawn (0)"),
           out_flag(
               "FILE",
               "FILE.png: a grid; .npy: an array; .csv: series; .wav: sound; FOLDER/: PNG or WAV files; text: any"),
           model_flag(),
           device_flag(),
           threads_flag()},
      .notes =
          "MODEL is a zoo name, a run folder, an entry's folder or a weights file, of a VAE, a GAN or\n"
          "a language model; a file that others made needs --model. The same seed makes the same\n"
          "file. An array is in the data's own units, as far as the weights carry their preprocessing,\n"
          "(N, …), and so is a table of series. Sound comes from models that were trained on sound:, with\n"
          "phases found for their spectrograms; clips of a model that knows classes lie in FOLDER/CLASS/.\n"
          "Text goes to stdout where no --out is given. A --walk of a model that knows classes\n"
          "shows all of them at each step, unless there is a --class.\n",
      .example = "  vaetl-generate fashion-mnist-conv-vae --count 64 --seed 0 --out new.png\n",
      .run = generate};
  run_program(program, argc, argv);
}
