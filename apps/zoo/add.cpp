// vaetl-zoo add.
#include "apps/zoo/entry_words.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/adapter.hpp"

namespace vaetl::apps {
namespace {

namespace fs = std::filesystem;

// The run behind an entry, as far as its card and its recipe tell.
Run run_of(const zoo::Card& card, const fs::path& folder) {
  Run run;
  run.provenance = card.training;
  run.steps = card.training.value("steps", std::int64_t{0});
  run.epochs = card.training.value("epochs", std::int64_t{0});
  run.seconds = card.training.value("seconds", 0.0);
  if (fs::exists(folder / "recipe.json")) run.recipe = read_json((folder / "recipe.json").string());
  return run;
}

fs::path if_there(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) ? file : fs::path();
}

// The entry's own, or a picture of the run that shows what its model does: a run's entry is its folder model/.
fs::path preview_of(const fs::path& entry) {
  for (const fs::path& file : {entry / "preview.png", entry / "../pictures/samples.png",
                               entry / "../pictures/reconstructions.png", entry / "../pictures/mistakes.png"}) {
    if (const fs::path found = if_there(file); !found.empty()) return found;
  }
  return {};
}

// Weights without preprocessing of their own, and what they belong to, are others' work.
void check_described(const Model& model, const std::string& reference) {
  if (model.preprocess().is_array()) return;
  throw ConfigError({quote(reference), "a model with its fitted preprocessing", "none",
                     "vaetl-zoo import takes weights of others, with their description"});
}

// A whole entry's weights stay as they are, to the byte, unless what they say of themselves has changed.
fs::path weights_to_keep(const Arguments& arguments, const Pretrained& loaded, const fs::path& source,
                         const zoo::SaveOptions& options) {
  const bool changed = arguments.has("merge") || arguments.has("delta") || options.classes != loaded.card.classes;
  return changed || loaded.card.base || !fs::is_directory(source) ? fs::path() : source / loaded.card.weights.file;
}

Result add_entry(const Words& words, const Arguments& arguments) {
  const std::string reference = only_word(words, "MODEL");
  const fs::path source = zoo::resolve(reference);
  const Pretrained loaded = zoo::load(reference);
  check_described(*loaded.model, reference);
  zoo::SaveOptions options = entry_options(arguments, loaded.card);
  const auto model = arguments.has("merge") ? nn::merge_adapters(*loaded.model) : loaded.model;
  options.metrics = entry_metrics(arguments, loaded, !if_there(source / "../run.json").empty(), options.metrics);
  if (options.preview.empty()) options.preview = preview_of(source);
  if (options.licence_file.empty()) options.licence_file = if_there(source / "LICENSE");
  options.delta = arguments.has("delta");
  options.weights = weights_to_keep(arguments, loaded, source, options);
  return save_entry(arguments, *model, run_of(loaded.card, source), options);
}

std::vector<Flag> add_flags() {
  std::vector<Flag> flags = entry_flags();
  flags.push_back({"merge", "", "what adapters make of the weights in the weights, no adapters"});
  flags.push_back({"delta", "", "only the tensors that differ from those of the entry --base-model"});
  return flags;
}

}  // namespace

ZooCommand add_command() {
  return {.name = "add",
          .arguments = "MODEL --name N [options]",
          .purpose = "makes an entry of a run, or of another entry",
          .flags = add_flags(),
          .run = add_entry,
          .notes = "MODEL is a run folder, an entry, or weights that vaetl wrote.\n" + entry_notes() +
                   "With --delta one base serves many entries: each holds adapters, heads and what else was trained, "
                   "and\nfinds the rest in the base, whose checksum it names.\n",
          .example =
              "  vaetl-zoo add runs/few --name my-classifier --summary 'Ten labels a class'\n"
              "  vaetl-zoo add runs/lora --name my-task --delta --base-model fashion-mnist-conv-vae\n"};
}

}  // namespace vaetl::apps
