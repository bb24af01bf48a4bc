// Options that share one JSON object with other keys. Internal to recipe.
#pragma once
#include "vaetl/core/config.hpp"

namespace vaetl::recipe {

// The keys of O, from an object whose reader is finished by the caller.
template <Options O>
O read_fields(ObjectReader& reader) {
  O options;
  std::apply([&](const auto&... f) { (reader.read(f.key, options.*(f.member), f.rule), ...); }, O::fields());
  return options;
}

}  // namespace vaetl::recipe
