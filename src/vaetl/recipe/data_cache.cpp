#include "vaetl/recipe/data_cache.hpp"

namespace vaetl::recipe {

const Splits& DataCache::open(const std::string& reference) {
  auto found = sets_.find(reference);
  if (found == sets_.end()) found = sets_.emplace(reference, data::open(reference)).first;
  return found->second;
}

void DataCache::put(const std::string& reference, Splits splits) {
  sets_.insert_or_assign(reference, std::move(splits));
}

}  // namespace vaetl::recipe
