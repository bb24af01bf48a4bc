// What models over trunks say of themselves.
#pragma once
#include <string>
#include <vector>

#include "vaetl/nn/component.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl::models {

// The blocks of a sequence that is the child `name`: {"encoder.0", {"encoder.0"}}, …, and where components stand
// between them {"inserted.encoder.1", {"encoder.1_inserted"}}. Children of other names are none of its blocks.
inline std::vector<LayerGroup> numbered_groups(const std::string& name, const nn::Sequence& blocks) {
  constexpr std::string_view suffix = "_inserted";
  std::vector<LayerGroup> groups;
  for (const auto& block : blocks.named_children()) {
    if (block.key()[0] < '0' || block.key()[0] > '9') continue;
    const std::string path = name + "." + block.key();
    const bool inserted = path.ends_with(suffix);
    const std::string place = path.substr(0, path.size() - (inserted ? suffix.size() : 0));
    groups.push_back({inserted ? nn::inserted_group(place) : place, {path}});
  }
  return groups;
}

// One input of float32 in [0, 1].
inline Signature unit_signature(const std::vector<std::int64_t>& shape) {
  return {{{"input", {.shape = shape, .dtype = at::kFloat, .low = 0, .high = 1}}}};
}

}  // namespace vaetl::models
