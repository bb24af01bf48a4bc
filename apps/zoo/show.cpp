// vaetl-zoo show.
#include "apps/support/table.hpp"
#include "apps/zoo/command.hpp"
#include "apps/zoo/metrics_text.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::apps {
namespace {

namespace fs = std::filesystem;

std::string tensors_line(const zoo::TensorCards& tensors) {
  Words parts;
  for (const auto& [name, tensor] : tensors) {
    const std::string range =
        tensor.low && tensor.high ? fmt::format(" in [{:g}, {:g}]", *tensor.low, *tensor.high) : "";
    parts.push_back(name + " " + to_text(tensor) + (tensor.layout.empty() ? "" : " " + tensor.layout) + range);
  }
  return join(parts);
}

// For people: of long lists and texts (vocabularies, the model of a tokenizer) the beginning.
Json beginning(Json json) {
  constexpr std::size_t longest_text = 80, longest_list = 12;
  if (json.is_string() && json.get_ref<const std::string&>().size() > longest_text) {
    const std::string quoted = quote(json.get_ref<const std::string&>(), longest_text);
    return quoted.substr(1, quoted.size() - 2);
  }
  if (json.is_array() && json.size() > longest_list) {
    json.erase(json.begin() + static_cast<std::ptrdiff_t>(longest_list), json.end());
    json.push_back("…");
  }
  if (!json.is_structured()) return json;
  for (Json& item : json) item = beginning(std::move(item));
  return json;
}

std::string base_text(const zoo::Card& card) {
  return card.base ? fmt::format("{}, sha256 {}", card.base->name, card.base->sha256) : "";
}

std::string files_line(const zoo::Card& card) {
  Words names;
  for (const auto& [name, file] : card.files) names.push_back(name);
  return join(names);
}

std::string card_table(const zoo::Card& card, const fs::path& folder) {
  std::vector<Words> rows = {{"name", card.name},
                             {"version", card.version},
                             {"summary", card.summary},
                             {"intended use", card.intended_use},
                             {"limits", card.limits},
                             {"citation", card.citation},
                             {"licence", card.licence},
                             {"data licence", card.data_licence},
                             {"base model", card.base_model},
                             {"model", Codec<ModelSpec>::write(card.model).dump()},
                             {"inputs", tensors_line(card.inputs)},
                             {"outputs", tensors_line(card.outputs)},
                             {"classes", join(card.classes)},
                             {"groups", join(card.groups)},
                             {"capabilities", join(card.capabilities)},
                             {"preprocess", beginning(card.preprocess).dump()},
                             {"parameters", std::to_string(card.weights.parameters)},
                             {"weights", fmt::format("{} bytes, sha256 {}", card.weights.bytes, card.weights.sha256)},
                             {"rest of weights", base_text(card)},
                             {"metrics", metrics_line(card)},
                             {"training", beginning(card.training).dump()},
                             {"files", files_line(card)},
                             {"folder", folder.string()}};
  std::erase_if(rows, [](const Words& row) { return row[1].empty(); });
  return table_text({}, rows);
}

Result show_entry(const Words& words, const Arguments&) {
  const fs::path folder = zoo::resolve(only_word(words, "NAME"));
  if (!fs::is_directory(folder)) {
    const zoo::Card card = zoo::load(folder.string()).card;
    return {zoo::card_json(card), card_table(card, folder)};
  }
  const zoo::Card card = zoo::read_card(folder);
  Json json = zoo::card_json(card);
  json["folder"] = folder.string();
  return {json, card_table(card, folder)};
}

}  // namespace

ZooCommand show_command() {
  return {.name = "show",
          .arguments = "NAME",
          .purpose = "an entry's card",
          .run = show_entry,
          .example = "  vaetl-zoo show fashion-mnist-conv-vae\n"};
}

}  // namespace vaetl::apps
