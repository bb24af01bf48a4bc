// Turns a source model into a target model and a tuning, and says what it did: three plain parts, the target's
// description, the loading rules, the tuning rules. It does not train.
//
//   auto adapted = adapt(*vae, {.heads = {{.classes = 10}}, .freeze = {"backbone"}});
//   std::cout << adapted.report;
#pragma once
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "vaetl/nn/model.hpp"
#include "vaetl/nn/state.hpp"
#include "vaetl/train/tuning.hpp"

namespace vaetl {

struct Head {
  std::int64_t classes = 0;
  static constexpr auto fields() {
    return std::tuple{field("classes", &Head::classes, "number of classes", at_least(2))};
  }
};

struct AdaptOptions {
  // Changes to the target's options: {"dropout": 0.2}; null restores a default; "name": another architecture, none of
  // whose options come from the source.
  Json model = Json::object();
  std::vector<Head> heads = {};  // one: the classifier that shares the source's encoder, its head fresh
  std::vector<LoadRule> load =
      {};  // read before the default: an old head is dropped where a new one is asked for, "*" → "*"
  std::vector<std::string> freeze = {};  // short for tuning rules with train = false, read first
  Tuning tuning = {};
  static constexpr auto fields() {
    using O = AdaptOptions;
    return std::tuple{field("model", &O::model, "changes to the target's description"),
                      field("heads", &O::heads, "new heads: [{\"classes\": K}]"),
                      field("load", &O::load, "rules for names and shapes"),
                      field("freeze", &O::freeze, "layer groups that stand still; backbone: all but the head"),
                      field("tuning", &O::tuning, "rates and thawing by layer group")};
  }
};

// What happened to every tensor, and what will train.
struct AdaptReport {
  LoadReport weights = {};
  std::vector<std::string> frozen = {}, trained = {};  // layer groups in epoch 0
  std::string text = {};                               // for people: what --dry-run prints
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
// The same from weights in a file and the description of their model, on which `options` build as above.
Adapted adapt(const ModelSpec& description, const Weights& weights, const Json& preprocess,
              const AdaptOptions& options);
// The target's description alone, every default written out.
ModelSpec describe_target(const Model& source, const AdaptOptions& options);

}  // namespace vaetl
