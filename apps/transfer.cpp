// vaetl-transfer: adapts a model to a task, by a recipe with a transfer section or by flags, which make such a recipe.
#include "apps/support/described.hpp"
#include "apps/support/training.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/recipe/overrides.hpp"
#include "vaetl/zoo/zoo.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

struct Method {
  std::string name, text;
  double lr;
};
// A linear head alone bears, and needs, a higher rate.
const std::vector<Method> methods = {
    {"fine_tune", "the model's weights and a new head, all of it trained (the default)", 1e-3},
    {"probe", "the model's weights stand still, a new linear head is trained on their features", 1e-2},
    {"scratch", "the same architecture from fresh weights: what the transfer is compared with", 1e-3}};

const std::vector<std::string> own_flags = {"from", "model", "data", "labels-per-class", "method", "steps"};

const Method& method_of(const Arguments& arguments) {
  const std::string wanted = arguments.text("method", methods[0].name);
  std::vector<std::string> names;
  for (const Method& method : methods) {
    if (method.name == wanted) return method;
    names.push_back(method.name);
  }
  throw ConfigError({"--method", join(names), quote(wanted), did_you_mean(wanted, names)});
}

std::int64_t classes_of(const std::string& reference) {
  const Dataset train = data::open(reference).train;
  if (train.size() > 0 && train.has("target")) return train.classes();
  throw DataError({reference, "labelled training data", "none", "choose data with labels"});
}

// As a recipe has it. A vocabulary, or a table's columns, it would learn anew from its own data.
void describe_source(Json& json, const recipe::Description& told) {
  json["model"] = Codec<ModelSpec>::write(told.model);
  if (told.preprocess.is_null()) return;
  if (!Preprocess::from_json(told.preprocess, "--model: preprocess").reader().is_null()) {
    throw ConfigError({"--model: preprocess", "transforms of values", "how files were read",
                       "make an entry of the weights: vaetl-zoo add FILE --model JSON --name N, and start from that"});
  }
  json["data"]["preprocess"] = told.preprocess;
}

Json recipe_of_flags(const Arguments& arguments) {
  const Method& method = method_of(arguments);
  const std::string from = arguments.text("from"), reference = arguments.text("data");
  Json json{{"name", method.name}, {"data", {{"open", reference}}}};
  if (arguments.has("labels-per-class")) {
    json["data"]["take_per_class"] = arguments.integer("labels-per-class", between(1, 1e9));
  }
  json["transfer"] = {{"from", from}, {"heads", Json::array({{{"classes", classes_of(reference)}}})}};
  if (const auto told = told_of(arguments, from)) describe_source(json, *told);
  if (method.name == "probe") json["transfer"]["freeze"] = {"backbone"};
  if (method.name == "scratch") {
    json["model"] = Codec<ModelSpec>::write(load_model(arguments, from).model->spec());
    json["transfer"]["from"] = "none";
  }
  const std::int64_t steps = arguments.has("steps") ? arguments.integer("steps", between(1, 1e9)) : 500;
  json["objective"] = "cross_entropy";
  json["trainer"] = {{"steps", steps}, {"batch_size", 64}, {"optimizer", {{"name", "adamw"}, {"lr", method.lr}}}};
  json["evaluate"] = {"accuracy", "cross_entropy"};
  return json;
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
  if (given.recipe.empty()) {
    Json json = recipe_of_flags(arguments);
    for (const std::string& assignment : given.overrides) recipe::apply(json, assignment);
    return recipe::parse(json);
  }
  recipe::Recipe recipe = recipe::read(given.recipe, given.overrides);
  if (recipe.transfer) return recipe;
  throw ConfigError({given.recipe, "a section \"transfer\"", "none", "train this recipe with vaetl-train"});
}

Result transfer(const Arguments& arguments) {
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
  for (Flag& flag : training_flags()) flags.push_back(std::move(flag));
  return flags;
}

std::string notes() {
  std::string text = "Methods:\n";
  for (const Method& method : methods) text += fmt::format("  {:<10} {}\n", method.name, method.text);
  return text + "\n" + recipe_notes("vaetl-transfer");
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{.name = "vaetl-transfer",
                        .synopsis =
                            "vaetl-transfer RECIPE [section.key=value …] [options]\n"
                            "       vaetl-transfer --from MODEL --data REF [section.key=value …] [options]",
                        .purpose = "adapts a trained model to a task, with few labels if need be",
                        .flags = transfer_flags(),
                        .notes = notes(),
                        .example =
                            "  vaetl-transfer --from fashion-mnist-simclr --data fashion-mnist "
                            "--labels-per-class 10 --out runs/few\n",
                        .run = transfer};
  return run_program(program, argc, argv);
}
