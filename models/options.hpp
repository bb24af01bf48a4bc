// Options of one model that are made in C++, not read from a recipe, pass the same checks of ranges, choices and
// relations.
#pragma once
#include "vaetl/core/config.hpp"

namespace vaetl::models {

template <class M>
typename M::Options checked(const typename M::Options& options) {
  return from_json<typename M::Options>(to_json(options), std::string(M::name));
}

}  // namespace vaetl::models
