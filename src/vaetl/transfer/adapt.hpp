// Turns a source model into a target model and a tuning, and says what it did: three plain parts, the target's
// description, the loading rules, the tuning rules. It does not train.
//
//   auto adapted = adapt(*vae, {.heads = {{.classes = 10}}, .freeze = {"backbone"}});
//   std::cout << adapted.report;
#pragma once
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/nn/adapter.hpp"
#include "vaetl/nn/model.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/train/tuning.hpp"

namespace vaetl {

struct Head {
  std::int64_t classes = 0;
  std::vector<std::int64_t> hidden = {};  // widths of its hidden layers; none: it is linear
  static constexpr auto fields() {
    return std::tuple{field("classes", &Head::classes, "number of classes", at_least(2)),
                      field("hidden", &Head::hidden, "widths of hidden layers; none: it is linear", between(1, 65536))};
  }
};

// Gradual unfreezing, arXiv:1801.06146, section 3.3: from the head down, one layer group more at a time.
struct Gradual {
  double every = 0;   // epochs between two groups (1 in the paper); 0: as `over` says
  double over = 0.5;  // evenly, so that the last group thaws at this share of training
  static constexpr auto fields() {
    return std::tuple{field("every", &Gradual::every, "epochs between two groups; 0: as over says", at_least(0)),
                      field("over", &Gradual::over, "share of training by which all has thawed", between(0, 0.99))};
  }
};

struct AdaptOptions {
  // Changes to the target's options: {"dropout": 0.2}; null restores a default; "name": another architecture, none of
  // whose options come from the source.
  Json model = Json::object();
  std::vector<Head> heads = {};  // one: the classifier that shares the source's encoder, its head fresh
  // Read before the default: an old head is dropped where a new one is asked for, "*" → "*".
  std::vector<LoadRule> load = {};
  std::string match = "name";  // "order": tensors that no rule mentions are paired by order and shape
  bool strict = false;         // anything but what is loaded or asked for is an error
  double at_least = 0.25;      // share of the backbone's values that must come from the source
  // Small additions to the target's layers (nn/adapter.hpp), beside those that the source has.
  std::vector<nn::AdapterRule> adapters = {};
  bool weights = true;  // false: fresh ones, what a transfer is compared with
  // Short for tuning rules with train = false, read first; "!PATTERN": these train all the same.
  std::vector<std::string> freeze = {};
  Tuning tuning = {};
  // Short for tuning rules over the backbone's groups that are not in `freeze`, read between that and `tuning`.
  double layer_decay = 1;  // the rate of a group is so many times that of the next, from the head (1) down
  double head_first = 0;   // the heads train alone for this share of training
  std::optional<Gradual> gradual = {};
  std::string norm = "train";  // TuningRule::norm
  static constexpr auto fields() {
    using O = AdaptOptions;
    return std::tuple{
        field("model", &O::model, "changes to the target's description"),
        field("heads", &O::heads, "new heads: [{\"classes\": K}]"),
        field("load", &O::load, "rules for names and shapes"),
        choice("match", &O::match, "of tensors that no rule mentions", {"name", "order"}),
        field("strict", &O::strict, "refuses anything but what is loaded or asked for"),
        field("at_least", &O::at_least, "share of the backbone's values that must come from the source", between(0, 1)),
        field("weights", &O::weights, "false: the source's architecture with fresh weights"),
        field("adapters", &O::adapters, "small additions: [{\"to\": PATTERN, \"name\": ADAPTER, …}]"),
        field("freeze", &O::freeze,
              "layer groups that stand still; backbone: all but heads and adapters; !PATTERN: not these"),
        field("tuning", &O::tuning, "rates and thawing by layer group"),
        field("layer_decay", &O::layer_decay,
              "a group's learning rate as a factor on that of the next, the head's being 1", between(1e-6, 1)),
        field("head_first", &O::head_first, "share of training in which the heads train alone", between(0, 0.99)),
        field("gradual", &O::gradual, "thaws one group after the other, from the head down"),
        choice("norm", &O::norm, "the backbone's batch norm: train, statistics or frozen", norm_modes)};
  }
};

// What happened to every tensor, and what will train.
struct AdaptReport {
  LoadReport weights = {};
  std::vector<std::string> frozen = {}, trained = {};  // layer groups at the start
  double matched = 0;                                  // share of the backbone's values that come from the source
  std::string text = {};                               // for people: what --dry-run prints
  // {"matched", "tensors": {"all", "loaded"}, "values": {…}, "groups": [{"name", "tensors", "values", "loaded",
  // "trained"}], "target": [{"name", "group", "outcome", "values", "loaded", "why", "from", "trained"}], "unused":
  // [{"name", "values", "why"}], "preprocessing"}
  Json json = {};
};
std::ostream& operator<<(std::ostream& out, const AdaptReport& report);

struct Adapted {
  std::shared_ptr<Model> model;
  Tuning tuning;
  AdaptReport report;
};

// The target is built after vaetl::seed as any model, takes what fits of the weights (nn/state.hpp) and the source's
// preprocessing, unless that does not fit the target's input; then the report says so and training fits it anew.
// ConfigError: a change, head, pattern or rule that means nothing here. FileError: a shape that no rule settles, or
// weights of which no tensor fits ("a checkpoint of another model").
Adapted adapt(const Model& source, const AdaptOptions& options);
// The same from weights in a file and the description of their model, on which `options` build as above. `order`: the
// names as the file has them, which match: "order" needs.
Adapted adapt(const ModelSpec& description, const Weights& weights, const Json& preprocess, const AdaptOptions& options,
              const std::vector<std::string>& order = {});
// What trains, as rules: freeze, then what layer_decay, head_first, gradual and norm mean for this model's groups, then
// tuning. Groups `head` and `head.NAME` and adapters are fresh: their rate is 1 and they train from the start.
// ConfigError for a pattern that matches nothing, for head_first beside gradual, and for either without a head.
Tuning tuning_of(const Model& target, const AdaptOptions& options);
// The target's description alone, every default written out.
ModelSpec describe_target(const Model& source, const AdaptOptions& options);

}  // namespace vaetl
