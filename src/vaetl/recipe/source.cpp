#include "vaetl/recipe/source.hpp"

#include "vaetl/core/text.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::recipe {
std::filesystem::path source_file(const std::string& from) {
  const auto found = zoo::resolve(from);
  return std::filesystem::is_directory(found) ? found / zoo::read_card(found).weights.file : found;
}

Source load_source(const std::string& from) {
  const auto file = zoo::resolve(from);
  if (!std::filesystem::is_directory(file)) {
    zoo::WeightsFile content = zoo::read_weights(file, zoo::file_reference(from).options);
    if (content.model.name.empty()) {
      return {.from = from,
              .sha256 = sha256_file(file),
              .model = {},
              .weights = std::move(content.tensors),
              .preprocess = std::move(content.preprocess),
              .order = std::move(content.order)};
    }
  }
  const Pretrained entry = zoo::load(from);
  return {.from = from,
          .sha256 = entry.card.weights.sha256,
          .model = entry.model,
          .weights = state(*entry.model),
          .preprocess = entry.model->preprocess(),
          .order = names_in_order(*entry.model),
          .classes = entry.card.classes};
}

void name_rows(std::vector<LoadRule>& rules, const Source& source, const std::vector<std::string>& classes) {
  for (LoadRule& rule : rules) {
    if (rule.on_mismatch == "rows" && !rule.names) rule.names = RowNames{source.classes, classes};
  }
}

Description describe(const std::string& reference, const Json& description) {
  if (std::filesystem::is_directory(zoo::resolve(reference))) {
    throw ConfigError({"--model", "a weights file, which it describes", quote(reference) + ", which has a description",
                       "leave --model out"});
  }
  const bool both = description.is_object() && description.contains("model");
  return from_json<Description>(both ? description : Json{{"model", description}}, "--model");
}

Pretrained load_described(const std::string& reference, const Json& description) {
  const Description told = describe(reference, description);
  return zoo::load_file(zoo::resolve(reference), told.model, told.preprocess, zoo::file_reference(reference).options,
                        told.load);
}

}  // namespace vaetl::recipe
