// vaetl-zoo diff: what two models have in common, and what not.
#include "apps/support/table.hpp"
#include "apps/zoo/command.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/zoo/difference.hpp"

namespace vaetl::apps {
namespace {

constexpr std::size_t longest_value = 60;

std::string value_text(const Json& value) {
  if (value.is_null()) return "–";
  return one_line(quote(value.is_string() ? value.get<std::string>() : value.dump(), longest_value));
}

std::string told(const std::vector<zoo::KeyDifference>& keys, const std::string& title, const Words& names) {
  std::vector<Words> rows;
  for (const auto& key : keys) rows.push_back({"  " + key.key, value_text(key.a), value_text(key.b)});
  return rows.empty() ? title + ": equal\n" : title + ":\n" + table_text({"", names[0], names[1]}, rows);
}

std::string tensor_text(const zoo::TensorDifference& tensor) {
  if (!tensor.note.empty()) return tensor.note;
  return fmt::format("{} of {} values differ, by {:.3g} at most", thousands(tensor.differing), thousands(tensor.values),
                     tensor.largest);
}

std::string tensors_told(const zoo::Difference& difference) {
  std::string text = fmt::format("tensors: {} equal, {} others\n", difference.equal_tensors, difference.tensors.size());
  std::vector<Words> rows;
  for (const auto& tensor : difference.tensors) rows.push_back({"  " + tensor.name, tensor_text(tensor)});
  return text + table_text({}, rows);
}

Json json_of(const std::vector<zoo::KeyDifference>& keys) {
  Json json = Json::object();
  for (const auto& key : keys) json[key.key] = {{"a", key.a}, {"b", key.b}};
  return json;
}

Json json_of(const zoo::Difference& difference) {
  Json tensors = Json::array();
  for (const auto& tensor : difference.tensors) {
    Json json{{"name", tensor.name}};
    if (tensor.note.empty()) {
      json.update({{"values", tensor.values}, {"differing", tensor.differing}, {"largest", tensor.largest}});
    } else {
      json["note"] = tensor.note;
    }
    tensors.push_back(std::move(json));
  }
  return {{"equal", difference.equal()},
          {"description", json_of(difference.description)},
          {"metrics", json_of(difference.metrics)},
          {"tensors", {{"equal", difference.equal_tensors}, {"others", tensors}}}};
}

Result diff_models(const Words& words, const Arguments&) {
  if (words.size() != 2) {
    throw ConfigError({"command line", "two MODELs after diff", fmt::format("{}", words.size()), "see --help"});
  }
  const zoo::Difference difference = zoo::difference(zoo::load(words[0]), zoo::load(words[1]));
  return {json_of(difference), told(difference.description, "description", words) +
                                   told(difference.metrics, "metrics", words) + tensors_told(difference)};
}

}  // namespace

ZooCommand diff_command() {
  return {
      .name = "diff",
      .arguments = "A B",
      .purpose = "what two models have in common: description, metrics, tensors",
      .run = diff_models,
      .notes = "A and B are entries, runs or weights files that describe themselves. Tensors are compared by name.\n",
      .example = "  vaetl-zoo diff my-classifier runs/again\n"};
}

}  // namespace vaetl::apps
