// vaetl-transfer: adapts a model to a task, by a recipe with a transfer section or by flags, which make such a recipe.
#include "apps/support/described.hpp"
#include "apps/support/training.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/recipe/overrides.hpp"
#include "vaetl/transfer/method.hpp"
#include "vaetl/zoo/zoo.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

constexpr const char* default_method = "fine_tune";

const std::vector<std::string> own_flags = {"from", "model", "data", "labels-per-class", "method", "steps"};

std::string method_of(const Arguments& arguments) {
  const std::string name = arguments.text("method", default_method);
  registry<transfer::Method>().complete({name}, "--method");
  return name;
}

std::int64_t classes_of(const std::string& reference) {
  const Dataset train = data::open(reference).train;
  if (train.size() > 0 && train.has("target")) return train.classes();
  throw DataError({reference, "labelled training data", "none", "choose data with labels"});
}

// As a recipe has it. A vocabulary, or a table's columns, it would learn anew from its own data.
void describe_source(Json& json, const recipe::Description& told) {
  json["model"] = Codec<ModelSpec>::write(told.model);
  if (!told.load.empty()) json["transfer"]["load"] = Codec<std::vector<LoadRule>>::write(told.load);
  if (told.preprocess.is_null()) return;
  if (!Preprocess::from_json(told.preprocess, "--model: preprocess").reader().is_null()) {
    throw ConfigError(
        {"--model: preprocess", "transforms of values", "how files were read",
         "make an entry of the weights: vaetl-zoo import FILE --model JSON --name N, and start from that"});
  }
  json["data"]["preprocess"] = told.preprocess;
}

Json recipe_of_flags(const Arguments& arguments) {
  const std::string from = arguments.text("from"), reference = arguments.text("data"), method = method_of(arguments);
  Json json{{"name", method}, {"data", {{"open", reference}}}};
  if (arguments.has("labels-per-class")) {
    json["data"]["take_per_class"] = arguments.integer("labels-per-class", between(1, 1e9));
  }
  json["transfer"] = {
      {"from", from}, {"heads", Json::array({{{"classes", classes_of(reference)}}})}, {"method", method}};
  if (const auto told = told_of(arguments, from)) describe_source(json, *told);
  json["objective"] = "cross_entropy";
  if (arguments.has("steps")) json["trainer"]["steps"] = arguments.integer("steps", between(1, 1e9));
  json["evaluate"] = {"accuracy", "cross_entropy"};
  return json;
}

// "method.rank=8" is short for "transfer.method.rank=8".
std::vector<std::string> in_full(std::vector<std::string> overrides) {
  for (std::string& assignment : overrides) {
    if (assignment.starts_with("method.")) assignment.insert(0, "transfer.");
  }
  return overrides;
}

// What neither the command line nor the method says of training.
void complete_training(Json& json) {
  Json& trainer = json["trainer"];
  if (trainer.is_object() && trainer.contains("epochs")) trainer.emplace("steps", 0);
  transfer::lay_under(trainer, {{"steps", 500}, {"batch_size", 64}, {"optimizer", {{"name", "adamw"}, {"lr", 1e-3}}}});
}

// Flags that describe a transfer do not go with a recipe, which describes one.
void check_one_way(const RecipeArguments& given, const Arguments& arguments) {
  for (const std::string& flag : own_flags) {
    if (!given.recipe.empty() && arguments.has(flag)) {
      throw ConfigError({"command line", "RECIPE or --from and --data", "RECIPE and --" + flag,
                         "change the recipe with section.key=value"});
    }
  }
  if (!given.recipe.empty()) return;
  for (const char* flag : {"from", "data"}) {
    if (!arguments.has(flag)) {
      throw ConfigError(
          {"command line", "RECIPE, or --from MODEL and --data REF", std::string("no --") + flag, "see --help"});
    }
  }
}

recipe::Recipe read_recipe(const RecipeArguments& given, const Arguments& arguments) {
  auto overrides = in_full(given.overrides);
  if (arguments.has("strict")) overrides.emplace_back("transfer.strict=true");
  if (given.recipe.empty()) {
    Json json = recipe_of_flags(arguments);
    for (const std::string& assignment : overrides) recipe::apply(json, assignment);
    json = transfer::expand_method(json);
    complete_training(json);
    return recipe::parse(json);
  }
  recipe::Recipe recipe = recipe::read(given.recipe, overrides);
  if (recipe.transfer) return recipe;
  throw ConfigError({given.recipe, "a section \"transfer\"", "none", "train this recipe with vaetl-train"});
}

Result run_transfer(const Arguments& arguments) {
  const RecipeArguments given = recipe_arguments(arguments);
  check_one_way(given, arguments);
  return run_recipe(read_recipe(given, arguments), arguments);
}

std::vector<Flag> transfer_flags() {
  std::vector<Flag> flags = {{"from", "MODEL", "a zoo name, a run folder, an entry's folder or a weights file"},
                             model_flag(),
                             {"data", "REF", "the task's data: fashion-mnist, idx:DIR, …"},
                             {"labels-per-class", "K", "labelled examples of every class (all)"},
                             {"method", "M", "how to adapt, see below (fine_tune)"},
                             {"steps", "N", "steps of training (500)"}};
  for (Flag& flag : training_flags()) {
    if (flag.name == "strict") flag.text += "; so are weights that nobody asked for or that are missing";
    flags.push_back(std::move(flag));
  }
  return flags;
}

std::string notes() {
  return "Methods (`vaetl-transfer --method M --help` explains one):\n" + transfer::method_list() +
         "method.KEY=VALUE sets an option of the method.\n\n" + recipe_notes("vaetl-transfer");
}

std::string help_of_method(const Arguments& arguments) {
  return arguments.has("method") ? transfer::method_help(arguments.text("method")) : std::string();
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-transfer",
      .synopsis =
          "vaetl-transfer RECIPE [section.key=value …] [options]\n"
          "       vaetl-transfer --from MODEL --data REF [method.key=value …] [section.key=value …] [options]",
      .purpose = "adapts a trained model to a task, with few labels if need be",
      .flags = transfer_flags(),
      .notes = notes(),
      .example =
          "  vaetl-transfer --from fashion-mnist-simclr --data fashion-mnist "
          "--labels-per-class 10 --out runs/few\n",
      .run = run_transfer,
      .help = help_of_method};
  run_program(program, argc, argv);
}
