// Options of one model that are made in C++, not read from a recipe, pass the same checks of ranges, choices and
// relations.
#pragma once
#include "vaetl/core/config.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::models {

template <class M>
typename M::Options checked(const typename M::Options& options) {
  return from_json<typename M::Options>(to_json(options), std::string(M::name));
}

// The description of the same classifier for another number of classes, with a linear head.
template <class M>
ModelSpec with_classes(typename M::Options options, std::int64_t classes) {
  options.classes = classes;
  options.head.clear();
  return vaetl::spec<M>(options);
}

}  // namespace vaetl::models
