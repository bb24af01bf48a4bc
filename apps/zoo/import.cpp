// vaetl-zoo import: weights of others become an entry.
#include "apps/support/described.hpp"
#include "apps/zoo/entry_words.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::apps {
namespace {

// An entry's weights carry theirs; the standard mapping of whatever data come is no property of them.
void check_preprocessing(const Model& model, const std::string& reference) {
  if (model.preprocess().is_array()) return;
  throw ConfigError({"--model", "the preprocessing of " + quote(reference) + " too, as an entry carries it", "none",
                     R"({"model": …, "preprocess": ["scale"]} for bytes as shares of 1, [] for raw input)"});
}

Result import_weights(const Words& words, const Arguments& arguments) {
  const std::string reference = only_word(words, "FILE");
  if (!arguments.has("model")) throw ConfigError({"command line", "--model JSON", "none", "see --help"});
  const Pretrained loaded = load_model(arguments, reference);
  check_preprocessing(*loaded.model, reference);
  zoo::SaveOptions options = entry_options(arguments, {});
  options.metrics = entry_metrics(arguments, loaded, true, options.metrics);
  Run run;
  const auto file = zoo::resolve(reference);
  run.provenance = {{"imported", {{"file", file.filename().string()}, {"sha256", sha256_file(file)}}}};
  return save_entry(arguments, *loaded.model, run, options);
}

std::vector<Flag> import_flags() {
  std::vector<Flag> flags = entry_flags();
  flags.push_back({"model", "JSON", "the architecture, the preprocessing and other names: JSON, or a file of it"});
  return flags;
}

}  // namespace

ZooCommand import_command() {
  return {.name = "import",
          .arguments = "FILE --model JSON --name N [options]",
          .purpose = "makes an entry of weights that others made",
          .flags = import_flags(),
          .run = import_weights,
          .notes =
              "FILE is a safetensors file or PyTorch's, also FILE?key=…&strip_prefix=…, read as data alone. --model "
              "is\n{\"model\": {\"name\": …}, \"preprocess\": […], \"load\": [{\"from\": \"theirs.*\", \"to\": "
              "\"ours.*\"}]}: preprocessing as a\ncard has it, [] for raw input; load only where names differ, "
              "first match, \"to\": \"\" for what is not wanted.\n" +
              entry_notes(),
          .example =
              "  vaetl-zoo import 'resnet20.th?strip_prefix=module.' --model resnet20.json --name resnet20-cifar10 "
              "\\\n      --card resnet20.card.json --data cifar10 --measure accuracy\n"};
}

}  // namespace vaetl::apps
