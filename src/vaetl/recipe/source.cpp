#include "vaetl/recipe/source.hpp"

#include "vaetl/io/sha256.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::recipe {

std::filesystem::path source_file(const std::string& from) {
  const auto found = zoo::resolve(from);
  return std::filesystem::is_directory(found) ? found / zoo::read_card(found).weights.file : found;
}

Source load_source(const std::string& from) {
  const auto file = zoo::resolve(from);
  if (!std::filesystem::is_directory(file)) {
    zoo::WeightsFile content = zoo::read_weights(file);
    if (content.model.name.empty()) {
      return {.from = from,
              .sha256 = sha256_file(file),
              .model = {},
              .weights = std::move(content.tensors),
              .preprocess = std::move(content.preprocess)};
    }
  }
  const Pretrained entry = zoo::load(from);
  return {.from = from,
          .sha256 = entry.card.weights.sha256,
          .model = entry.model,
          .weights = state(*entry.model),
          .preprocess = entry.model->preprocess()};
}

}  // namespace vaetl::recipe
