// A recipe is a JSON file that says everything about a run: name, seed, data, model, objective, trainer, and optionally
// transfer, evaluate, callbacks, sweep. Unknown keys and names are errors that suggest the nearest.
//
//   auto recipe = recipe::read("recipes/fashion-cnn.json", {"trainer.epochs=3"});
//   auto outcome = recipe::run(recipe, {.out = "runs/cnn"});
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/core/json.hpp"
#include "vaetl/data/reference.hpp"
#include "vaetl/recipe/class_weights.hpp"
#include "vaetl/train/trainer.hpp"
#include "vaetl/transfer/adapt.hpp"
#include "vaetl/transfer/grow.hpp"
#include "vaetl/transfer/probe.hpp"

namespace vaetl::recipe {

// One stream of examples: the train split of a set.
struct DataOptions {
  data::Reference open = {};                       // NAME or KIND:PATH
  std::int64_t take_per_class = 0;                 // > 0: so many labelled examples of every class
  double validation = 0;                           // share carved from what is left
  std::vector<std::int64_t> fold = {};             // [i, k]: fold i of k of what is left is the validation data
  bool labels = true;                              // false: the labels are dropped before anything sees them
  std::optional<ClassWeights> class_weights = {};  // of the examples that are left to train on
  std::int64_t batch_size = 0, views = 1;
  std::string order = "shuffle";
  std::vector<Spec<Transform>> augment = {};
  static constexpr auto fields() {
    using D = DataOptions;
    return std::tuple{
        field("open", &D::open, "the set: NAME, KIND:PATH?options, or an object of name, path and options"),
        field("take_per_class", &D::take_per_class, "labelled examples of every class; 0: all", between(0, 1e9)),
        field("validation", &D::validation, "share held out of the first stream", between(0, 0.9)),
        field("fold", &D::fold, "[i, k]: hold out fold i of k of the first stream", between(0, 1000)),
        field("labels", &D::labels, "false: labels are dropped"),
        field("class_weights", &D::class_weights,
              "of the training examples by their class: \"balanced\", or an array of one number a class", at_least(0)),
        field("batch_size", &D::batch_size, "of this stream; 0: the trainer's", at_least(0)),
        field("views", &D::views, "augmented copies of each example", between(1, 8)),
        choice("order", &D::order, "of the examples", {"shuffle", "sequential", "lanes"}),
        field("augment", &D::augment, "transforms of each batch")};
  }
};

// Data that only score: "test", "validation".
struct ScoreOptions {
  data::Reference open = {};
  std::optional<std::string> split = {};  // default: test for "test", train for "validation"
  static constexpr auto fields() {
    using S = ScoreOptions;
    return std::tuple{field("open", &S::open, "the set"),
                      choice("split", &S::split, "which of its splits", {"train", "validation", "test"})};
  }
};

// The section "data". Short form, told by its "open": one stream's keys beside "test", "preprocess" and "strict". Long
// form: named streams beside "test", "validation", "preprocess" and "strict"; epochs count the stream "train", else the
// first. What the first stream's reader learnt (a vocabulary, columns), or the weights carry, reads the others too.
struct DataSection {
  bool short_form = true;
  std::vector<std::pair<std::string, DataOptions>> streams = {};  // the one that epochs count first
  std::optional<ScoreOptions> test = {};                          // default: the test split of the first stream's set
  std::optional<ScoreOptions> validation = {};   // default: carved from the first stream, or its set's own, or none
  std::vector<Spec<Transform>> preprocess = {};  // to be fitted; empty ("inherit"): the weights' own
  bool strict = false;  // the first bad example ends the run; otherwise it is left out, and told
};

// In a file it may also have "method": a name, or {"name": …, options} (transfer/method.hpp). That is short for keys of
// this section and others and expanded before anything else; what is left of it is expanded_from.
struct TransferOptions {
  std::string from = "none";  // zoo:NAME, a run folder, an entry's folder, a weights file; none: from scratch
  Json expanded_from = {};    // told in run.json and on the report page, read by nothing
  std::optional<GrowOptions> grow = {};  // the source, before it is adapted (transfer/grow.hpp)
  AdaptOptions adapt = {};
  std::optional<ProbeOptions> solve_head = {};  // before training the new linear head is solved (transfer/probe.hpp)
};

struct Recipe {
  std::string name = "run";
  std::uint64_t seed = 0;
  Json data = Json::object();
  Json model = {};  // null where transfer describes it; `input`, `classes`, `outputs` left out: as the data have them
  Json objective = {};
  Json trainer = Json::object();
  std::optional<Json> transfer = {};
  std::vector<std::string> evaluate = {};
  std::vector<Spec<Callback>> callbacks = {};
  std::optional<Json> sweep = {};
  Json unexpanded = {};  // not a key: the sections that transfer.method changed, as they were; null where absent
  static constexpr auto fields() {
    using R = Recipe;
    return std::tuple{
        field("name", &R::name, "of the run"),
        field("seed", &R::seed, "of everything that varies"),
        field("data", &R::data, "the set, or named streams"),
        field("model", &R::model, "architecture and options"),
        field("objective", &R::objective, "what is minimised; an array is a sum"),
        field("trainer", &R::trainer, "the loop"),
        field("transfer", &R::transfer, "what is adapted, how"),
        field("evaluate", &R::evaluate, "metrics on the test split: NAME, NAME?option=value or {\"name\": …, options}"),
        field("callbacks", &R::callbacks, "what is written while it trains: csv, tensorboard, pictures"),
        field("sweep", &R::sweep, "what vaetl-sweep varies")};
  }
};

// Reads and checks a recipe file; an override is "section.key=value" (core/overrides.hpp). ConfigError names what is
// wrong.
Recipe read(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});
// Checks every section, and that they fit together, without opening or building anything.
Recipe parse(const Json& json);

// The sections as typed options; ConfigError for what they do not know.
DataSection read_data(const Json& json);
TransferOptions read_transfer(const Json& json);
TrainerOptions read_trainer(const Json& json);  // seed, device, directory and resume belong to the run, not here

// The recipe with every default written out: running it again gives the same bits. It is the same on every device; one
// that is named is checked (DeviceError).
Json resolve(const Recipe& recipe, const std::string& device = {});

}  // namespace vaetl::recipe
