// vaetl-train: trains what a recipe says.
#include "apps/support/explore.hpp"
#include "apps/support/topics.hpp"
#include "apps/support/training.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

Result train(const Arguments& arguments) {
  const auto& words = arguments.positional();
  if (!words.empty() && words[0] == "help") {
    const std::string text = topic_text({words.begin() + 1, words.end()});
    return {{{"help", text}}, text};
  }
  const RecipeArguments given = recipe_arguments(arguments);
  if (given.recipe.empty()) throw ConfigError({"command line", "RECIPE", "nothing", "see --help"});
  const recipe::Recipe recipe = recipe::read(given.recipe, given.overrides);
  return explores(arguments) ? explore(recipe, arguments) : run_recipe(recipe, arguments);
}

}  // namespace

int main(int argc, char** argv) {
  auto flags = training_flags();
  for (const Flag& flag : explore_flags()) flags.push_back(flag);
  const Program program{
      .name = "vaetl-train",
      .synopsis = "vaetl-train RECIPE [section.key=value …] [options]\n       vaetl-train help [NAME …]",
      .purpose = "trains what a recipe says and leaves a run folder",
      .flags = flags,
      .notes = recipe_notes("vaetl-train"),
      .example =
          "  vaetl-train recipes/fashion-cnn.json trainer.epochs=3 --out runs/cnn\n"
          "  vaetl-train recipes/fashion-cnn.json --out runs/cnn --resume\n"
          "  vaetl-train recipes/fashion-cnn.json --find-lr\n",
      .run = train};
  run_program(program, argc, argv);
}
