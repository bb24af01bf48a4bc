// Named, described, verified checkpoints: a folder with model.json (the card), model.safetensors, README.md and, where
// there are any, recipe.json, preview.png and LICENSE. The same form is a run's model/ folder.
//
//   auto classifier = zoo::load("my-classifier");   // or a run folder, an entry's folder, a weights file
//   at::Tensor logits = classifier.predict(images);
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/io/pytorch.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/train/trainer.hpp"
#include "vaetl/zoo/card.hpp"

namespace vaetl {

// What a program loads: it predicts from raw input.
struct Pretrained {
  std::shared_ptr<Model> model;  // in evaluation mode, with its preprocessing
  zoo::Card card = {};
  // raw: as the data store it, (N, …) or one example, uint8, float or token ids, on any device → on the CPU, logits
  // (N, K) of a classifier, values (N, O) of a regressor in their own units, outputs (N, T, O) of a sequence model,
  // features (N, F) of another encoder, repaired pictures of a restorer in the data's units. Pictures may have any size
  // where the preprocessing resizes them; where it makes something else of raw input (of the columns of a table, say)
  // that is (N, …). Computed on the model's device, in parts, without gradients. Thread-safe while nobody trains the
  // model. DataError: another shape or type. ConfigError: no encoder and no restorer, or a model in training mode.
  at::Tensor predict(const at::Tensor& raw) const;
  // The same of the field "input", with the sequences' "length" (N) where they are padded, and with the classes in
  // "condition" (N) for a conditional model.
  at::Tensor predict_batch(const Fields& raw) const;
};

namespace zoo {

// Folders that hold entries: VAETL_ZOO (a path list), the user's ($XDG_DATA_HOME or ~/.local/share, vaetl/zoo), the zoo
// that the build or the installation brought. They need not exist.
std::vector<std::filesystem::path> search_path();
struct Found {
  std::string name;
  std::filesystem::path folder;
};
std::vector<Found> list();  // by name; first of equal names along the search path

// A MODEL argument: a zoo name ("zoo:NAME" too), a run folder (its model/), an entry's folder, a weights file:
// safetensors or PyTorch's, FILE or FILE?key=…&strip_prefix=…. RUN?which=last (best, step-N) is a checkpoint of a run,
// also of one that has not ended: its averaged weights where it has some. A bare name that the zoo has wins over a
// folder of that name (./NAME). Returns the entry's folder or the file. FileError with the nearest names where there is
// none.
std::filesystem::path resolve(std::string_view reference);

// How a weights file, or which of a run's checkpoints, is to be read.
struct FileReference {
  std::filesystem::path file;
  PytorchOptions options = {};
  std::string which = {};  // of a run: last, best or step-N; empty: its model
};
// ConfigError for a text behind the ? that is no options.
FileReference file_reference(std::string_view reference);

// Checks hash, sizes, description, names, shapes and the test vector before it returns. FileError says which failed.
Pretrained load(std::string_view reference);

// A weights file alone; its bytes tell the format. Ours say in their metadata what they belong to; another's has an
// empty model.name.
struct WeightsFile {
  Weights tensors = {};
  std::vector<std::string> order = {};  // of the tensors, where the file keeps one
  ModelSpec model = {};
  Json preprocess = {};  // null: not told
  std::vector<std::string> classes = {};
  std::optional<BaseCard> base = {};  // where it holds only what differs from that entry's
};
WeightsFile read_weights(const std::filesystem::path& file, const PytorchOptions& options = {});
// Its model, built and filled (names and shapes strict). `model` describes it where the file does not, or otherwise;
// so does `preprocess`, fitted specs as a card has them. `rules` map the file's names to the model's: from and to
// alone, the first whose pattern matches, no `to` for what is not wanted.
Pretrained load_file(const std::filesystem::path& file, const ModelSpec& model = {}, const Json& preprocess = {},
                     const PytorchOptions& options = {}, const std::vector<LoadRule>& rules = {});

// Every check of load(), then the card against the schema and the other files against their checksums, each with its
// outcome. A check that fails leaves those after it undone.
struct Check {
  std::string name;
  std::string outcome;  // passed, failed, not done; skipped: of metrics whose data are not there
  std::string detail;   // what was found, or the error
};
struct Verification {
  std::filesystem::path folder;
  std::vector<Check> checks = {};
  bool passed() const;
  std::string text() const;  // one aligned line a check
  Json json() const;
};
Verification verify(const std::filesystem::path& folder);
// The card's metrics, measured again on its data where these have a name and are there, or else on `data`: each within
// the card's interval (zoo/measure.hpp). FileError where the entry cannot be loaded.
std::vector<Check> verify_metrics(const std::filesystem::path& folder, const std::string& data = {});

struct SaveOptions {
  std::string summary = {}, licence = {}, base_model = {};
  std::filesystem::path folder = {};  // the entry's; empty: in the first writable folder of the search path, by name
  std::string version = "1.0.0";
  std::string data_licence = {};  // empty: the run's provenance, "data" → "licence"
  std::vector<std::string> classes =
      {};  // empty: the run's provenance, "data" → "classes", where a classifier has as many
  std::filesystem::path preview = {};  // a PNG that shows what the model does; empty: none
  // Writes only the tensors that differ from those of the zoo entry `base_model`, beside that one's checksum: so one
  // base serves many tasks. Whoever loads the entry needs the base, beside it or along the search path.
  bool delta = false;
  std::string intended_use = {}, limits = {}, citation = {};
  std::string trained_on = {};  // a name for the training data; empty: the run's provenance, "data" → "name"
  std::filesystem::path licence_file = {};  // the text of the licence, which becomes LICENSE; empty: none
  // Empty: the run's, with its word for them.
  std::map<std::string, MetricCard> metrics = {};
  // A whole weights file of ours that holds just these weights and describes them: it is taken byte for byte, so that
  // deltas to it stay deltas to it. Empty: one is written.
  std::filesystem::path weights = {};
};
// Complete or absent, and loaded once before it is put in place; an entry of that name is replaced, a folder that is no
// entry is not. Returns its folder. The model may be on any device and stays as it is. ConfigError: a bad name, classes
// that do not fit, a model without preprocessing, a delta to what is no whole entry or has no tensor of the model.
// DivergedError: outputs that are not finite. OutputError: no place to write.
std::filesystem::path save(std::string_view name, Model& model, const Run& run, const SaveOptions& options = {});

}  // namespace zoo
}  // namespace vaetl
