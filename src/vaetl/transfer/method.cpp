#include "vaetl/transfer/method.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/options_text.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::transfer {
namespace {

// The name of {"name": …} or of a bare name; empty: it is neither.
std::string name_in(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  const auto found = json.is_object() ? json.find("name") : json.end();
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void fill(Json& own, const Json& value) {
  if (!value.is_object() || name_in(own).empty() || name_in(own) != name_in(value)) return;
  Json filled = value;
  if (own.is_object()) filled.update(own);
  own = std::move(filled);
}

void add_terms(Json& objective, const Json& terms) {
  if (objective.is_null()) return;  // a method adds to what is minimised, it does not say what is
  if (!objective.is_array()) objective = Json::array({objective});
  for (const Json& term : terms) {
    const auto same = [&](const Json& own) { return name_in(own) == name_in(term); };
    if (std::none_of(objective.begin(), objective.end(), same)) objective.push_back(term);
  }
}

// What is written out already leaves a method nothing to say.
void check_open(const Json& transfer, const std::string& method) {
  if (!transfer.contains("expanded_from")) return;
  throw ConfigError({"transfer.method", "a recipe in which no method is written out yet",
                     quote(method) + " beside what " + quote(name_in(transfer["expanded_from"])) + " stands for",
                     "start from the recipe that names the method"});
}

void check_effect(const Json& before, const Json& after, const Json& patch, const std::string& method) {
  if (patch.empty() || before != after) return;
  throw ConfigError(
      {"transfer.method", "a recipe that leaves open some of what " + quote(method) + " says",
       "one that says all of it itself",
       "leave those keys out; a run folder's recipe has every key, so start from the one it was made of"});
}

std::string indented(std::string_view lines) {
  std::string text;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    text += fmt::format("  {}\n", lines.substr(begin, end - begin));
    begin = end + 1;
  }
  return text;
}

}  // namespace

void lay_under(Json& section, const Json& defaults) {
  if (section.is_null()) section = Json::object();
  if (!section.is_object()) return;  // whoever reads the section says so
  for (const auto& [key, value] : defaults.items()) {
    if (section.contains(key)) {
      fill(section[key], value);
    } else {
      section[key] = value;
    }
  }
}

Json expand_method(Json recipe) {
  if (!recipe.is_object() || !recipe.contains("transfer") || !recipe["transfer"].is_object()) return recipe;
  const Json asked = recipe["transfer"].value("method", Json());
  recipe["transfer"].erase("method");
  if (asked.is_null()) return recipe;
  Spec<Method> spec;
  Codec<Spec<Method>>::read(asked, "transfer.method", spec, {});
  check_open(recipe["transfer"], spec.name);
  spec = registry<Method>().complete(spec, "transfer.method");
  const Json patch = registry<Method>().make(spec, "transfer.method")->patch();
  const Json before = recipe;
  for (const auto& [section, keys] : patch.items()) {
    if (section == "objective") {
      add_terms(recipe["objective"], keys);
    } else {
      lay_under(recipe[section], keys);
    }
  }
  check_effect(before, recipe, patch, spec.name);
  recipe["transfer"]["expanded_from"] = Json{{"name", spec.name}};
  recipe["transfer"]["expanded_from"].update(spec.options);
  return recipe;
}

std::string method_help(const std::string& name) {
  const Method::About about = registry<Method>().make({name}, "--method")->about();
  std::string text = fmt::format("method \"{}\": {}\n", name, about.text);
  if (!about.paper.empty()) text += fmt::format("  {}\n", about.paper);
  text += "\n" + indented(about.more);
  const std::string options = describe(registry<Method>().schema(name));
  if (options.empty()) return text + "\n  no options\n";
  return text + "\n  options, as method.KEY=VALUE:\n" + indented(options);
}

std::string method_list() {
  std::string text;
  for (const std::string& name : registry<Method>().names()) {
    text += fmt::format("  {:<15} {}\n", name, registry<Method>().make({name})->about().text);
  }
  return text;
}

}  // namespace vaetl::transfer
