#include "vaetl/recipe/data_cache.hpp"

namespace vaetl::recipe {

const Splits& DataCache::open(const data::Reference& reference, const Reading& reading) {
  const std::string text = reference.text();
  if (const auto own = own_.find(text); own != own_.end()) return own->second;
  const std::string key = fmt::format("{}\n{}\n{}", text, reading.fitted.dump(), reading.strict);
  auto found = sets_.find(key);
  if (found == sets_.end()) found = sets_.emplace(key, data::open(reference, reading)).first;
  return found->second;
}

void DataCache::put(const std::string& reference, Splits splits) {
  own_.insert_or_assign(reference, std::move(splits));
}

}  // namespace vaetl::recipe
