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
  // Read as `reading` says. A set is kept by its reference and by what it was read like.
  const Splits& open(const data::Reference& reference, const Reading& reading = {});
  void put(const std::string& reference, Splits splits);

 private:
  std::map<std::string, Splits> sets_, own_;
};

}  // namespace vaetl::recipe
