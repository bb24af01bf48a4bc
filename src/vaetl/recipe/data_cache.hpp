// Sets that are open, by reference: the runs of a sweep read Fashion-MNIST once. A program puts its own sets in under a
// name, and recipes refer to them as "open": NAME.
//
//   auto cache = std::make_shared<recipe::DataCache>();
//   cache->put("mine", {train, nothing, test});
//   recipe::run(recipe, {.data = cache});
#pragma once
#include <map>
#include <string>

#include "vaetl/data/open.hpp"

namespace vaetl::recipe {

class DataCache {
 public:
  const Splits& open(const std::string& reference);
  void put(const std::string& reference, Splits splits);

 private:
  std::map<std::string, Splits> sets_;
};

}  // namespace vaetl::recipe
