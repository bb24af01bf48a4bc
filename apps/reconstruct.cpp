// vaetl-reconstruct: what a model makes of examples from their codes alone, beside the examples, and how far off it is.
#include "vaetl/recipe/reconstruct.hpp"

#include <ATen/ops/arange.h>

#include <filesystem>

#include "apps/support/described.hpp"
#include "apps/support/program.hpp"
#include "apps/support/scored_data.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/npy.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/recipe/generate_text.hpp"
#include "vaetl/recipe/pixels.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

constexpr std::int64_t shown = 20;  // of what is for people to look at

std::string extension_of(const Arguments& arguments) {
  return std::filesystem::path(arguments.text("out")).extension().string();
}

ConfigError wrong_out(const Arguments& arguments, const std::string& forms) {
  return ConfigError({"--out", forms, arguments.has("out") ? quote(arguments.text("out")) : "none", {}});
}

// The first --count of them; otherwise a few to look at, or all.
Dataset first_of(const Dataset& examples, const Arguments& arguments, bool all) {
  std::int64_t count = all ? examples.size() : shown;
  if (arguments.has("count")) count = arguments.integer("count", at_least(1));
  return count >= examples.size() ? examples : examples.select(at::arange(count, at::kLong));
}

Json about(const Arguments& arguments, const ScoredData& data, const recipe::Reconstructed& rebuilt) {
  Json json{{"model", arguments.only("MODEL")}, {"data", data.about()}, {"metrics", rebuilt.metrics}};
  if (arguments.has("out")) json["out"] = arguments.text("out");
  return json;
}

// Found out before anything is computed.
bool wants_picture(const Arguments& arguments, const Model& model) {
  const std::string extension = extension_of(arguments);
  if (extension == ".npy") return false;
  if (extension != ".png") throw wrong_out(arguments, "FILE.png or FILE.npy");
  if (recipe::sees_pictures(model)) return true;
  throw wrong_out(arguments, "FILE.npy, as the model sees no pictures of 1 or 3 channels");
}

Result rebuild_values(const Arguments& arguments, Model& model, c10::Device device) {
  const bool picture = wants_picture(arguments, model);
  ScoredData data = scored_data(arguments, model);
  if (model.preprocess().is_null()) {  // of weights that others made: the mapping by which they are read
    model.set_preprocess(Preprocess::standard(data.examples.info(), model.signature()).json());
  }
  data.examples = first_of(data.examples, arguments, !picture);
  model.to(device);
  const auto rebuilt = recipe::reconstruct(model, data.examples);
  const std::string out = arguments.text("out");
  if (picture) write_png(out, recipe::reconstruction_grid(model, rebuilt));
  if (!picture) write_npy(out, recipe::own_units(model, rebuilt.outputs));
  return {about(arguments, data, rebuilt), metrics_text(rebuilt.metrics)};
}

using Rows = std::vector<std::vector<std::string>>;
const std::vector<std::string> text_header = {"text", "reconstruction"};

Rows text_rows(const Model& model, const recipe::Reconstructed& rebuilt) {
  const auto inputs = recipe::texts_of(model, rebuilt.inputs), outputs = recipe::texts_of(model, rebuilt.outputs);
  Rows rows;
  for (std::size_t i = 0; i < inputs.size(); ++i) rows.push_back({inputs[i], outputs[i]});
  return rows;
}

std::string text_table(Rows rows) {
  for (auto& row : rows) {
    for (std::string& cell : row) cell = one_line(cell);
  }
  return table_text(text_header, rows);
}

Result rebuild_texts(const Arguments& arguments, Model& model, c10::Device device) {
  const std::string extension = extension_of(arguments);
  const bool csv = extension == ".csv";
  if (arguments.has("out") && !csv && extension != ".txt") {
    throw wrong_out(arguments, "FILE.txt or FILE.csv, as the model sees text");
  }
  ScoredData data = scored_data(arguments, model);
  data.examples = first_of(data.examples, arguments, arguments.has("out"));
  model.to(device);
  const auto rebuilt = recipe::reconstruct(model, data.examples);
  const Rows rows = text_rows(model, rebuilt);
  Result result{about(arguments, data, rebuilt), metrics_text(rebuilt.metrics)};
  if (arguments.has("out")) {
    write_atomically(arguments.text("out"), csv ? csv_text(text_header, rows) : text_table(rows));
    return result;
  }
  result.json["texts"] = Json::array();
  for (const auto& row : rows) result.json["texts"].push_back({{"text", row[0]}, {"reconstruction", row[1]}});
  result.text = text_table(rows) + "\n" + result.text;
  return result;
}

Result rebuild_examples(const Arguments& arguments) {
  const std::string reference = arguments.only("MODEL");
  set_threads(arguments);
  const c10::Device device = choose_device(arguments.text("device", "auto"));
  const Pretrained loaded = load_model(arguments, reference);
  return recipe::sees_text(*loaded.model) ? rebuild_texts(arguments, *loaded.model, device)
                                          : rebuild_values(arguments, *loaded.model, device);
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-reconstruct",
      .synopsis = "vaetl-reconstruct MODEL --data REF --out FILE [options]",
      .purpose = "rebuilds examples from their codes",
      .flags = data_flags({{"count", "N", "the first N examples (20 to look at in a picture or on stdout, else all)"},
                           out_flag("FILE",
                                    "FILE.png: inputs above, what is made of them below; FILE.npy: that alone; "
                                    "of texts FILE.txt or FILE.csv"),
                           model_flag(),
                           device_flag(),
                           threads_flag()}),
      .notes =
          "MODEL is a zoo name, a run folder, an entry's folder or a weights file, of an autoencoder\n"
          "of any kind; a file that others made needs --model. Printed are the mean errors of these\n"
          "examples, as the model sees them; an array is in the data's own units. Texts stand beside\n"
          "what is made of them, in a table on stdout where no --out is given.\n",
      .example = "  vaetl-reconstruct fashion-mnist-conv-vae --data fashion-mnist --out rebuilt.png\n",
      .run = rebuild_examples};
  run_program(program, argc, argv);
}
