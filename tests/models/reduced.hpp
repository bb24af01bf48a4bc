// Options under which a registered model is small enough for a test, by what its schema says and never by its name.
#pragma once
#include "vaetl/nn/model.hpp"

namespace vaetl::testing {

inline Json reduced(const std::string& model, Json options = Json::object()) {
  const Json known = registry<Model>().schema(model).at("properties");
  if (known.contains("width")) options["width"] = 0.125;
  return options;
}

}  // namespace vaetl::testing
