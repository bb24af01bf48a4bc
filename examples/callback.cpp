// A callback of one's own, which recipes reach by its name: it stops a training that is good enough.
#include <iostream>

#include "vaetl/recipe/run.hpp"

// [callback]
struct StopAtLoss final : vaetl::Callback {
  static constexpr std::string_view name = "stop_at_loss";
  struct Options {
    double loss = 0.1;
    static constexpr auto fields() { return std::tuple{vaetl::field("loss", &Options::loss, "low enough")}; }
  };
  explicit StopAtLoss(Options given) : options(given) {}
  void on_log(vaetl::Progress& p) override { p.stop = p.scalars.at("loss") < options.loss; }
  Options options;
};
// [callback]

int main(int argc, char** argv) {
  vaetl::registry<vaetl::Callback>().add<StopAtLoss>();
  try {
    const auto recipe = vaetl::recipe::read(argc > 1 ? argv[1] : "recipe.json");
    const auto outcome = vaetl::recipe::run(recipe, {.device = "cpu"});
    std::cout << "stopped after " << outcome.run.steps << " steps\n";
    return 0;
  } catch (const vaetl::Error& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
