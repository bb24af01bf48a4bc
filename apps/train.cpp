// vaetl-train: trains what a recipe says.
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
  return run_recipe(recipe::read(given.recipe, given.overrides), arguments);
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-train",
      .synopsis = "vaetl-train RECIPE [section.key=value …] [options]\n       vaetl-train help [NAME …]",
      .purpose = "trains what a recipe says and leaves a run folder",
      .flags = training_flags(),
      .notes = recipe_notes("vaetl-train"),
      .example =
          "  vaetl-train recipes/fashion-cnn.json trainer.epochs=3 --out runs/cnn\n"
          "  vaetl-train recipes/fashion-cnn.json --out runs/cnn --resume\n",
      .run = train};
  return run_program(program, argc, argv);
}
