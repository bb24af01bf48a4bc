// vaetl-data make: synthetic sets whose answers are known.
#include "vaetl/data/make.hpp"

#include "apps/data/commands.hpp"
#include "vaetl/core/overrides.hpp"

namespace vaetl::apps {
namespace {

Spec<Maker> spec_of(const Words& words, const Arguments& arguments) {
  if (words.empty()) throw ConfigError({"command line", "NAME after make", "nothing", "see --help"});
  Spec<Maker> spec{words[0], Json::object()};
  if (arguments.has("count")) spec.options["count"] = arguments.integer("count", at_least(1));
  for (std::size_t i = 1; i < words.size(); ++i) apply_override(spec.options, words[i]);
  return spec;
}

}  // namespace

Result make_data(const Words& words, const Arguments& arguments) {
  const Spec<Maker> spec = spec_of(words, arguments);
  const auto maker = registry<Maker>().make(spec, spec.name);
  const std::string out = free_out(arguments, maker->out());
  const Made made = maker->make(out, {.seed = arguments.seed(), .progress = follow(arguments, "making")});
  Json references = Json::array();
  std::string text = fmt::format("{} examples; known: {}\n", made.examples, made.truth.dump());
  for (const data::Reference& reference : made.open) {
    references.push_back(reference.text());
    text += "open it as " + shell_quoted(reference.text()) + "\n";
  }
  const Spec<Maker> complete = registry<Maker>().complete(spec, spec.name);
  return {{{"out", out},
           {"open", references},
           {"examples", made.examples},
           {"seed", arguments.seed()},
           {"options", complete.options},
           {"truth", made.truth}},
          text};
}

}  // namespace vaetl::apps
