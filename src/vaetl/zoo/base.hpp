// Deltas: weights that hold only what differs from those of another entry, the base. Internal to zoo.
#pragma once
#include <filesystem>
#include <string>

#include "vaetl/nn/state.hpp"
#include "vaetl/zoo/card.hpp"

namespace vaetl::zoo {

// Adds those of the model's tensors that `weights` lack and the base has; returns how many. The base is looked for
// beside `folder`, the entry's own, then along the search path. FileError, beginning with `where`: no such entry, or
// only one whose weights have another checksum.
std::size_t add_base(Weights& weights, const Model& model, const BaseCard& base, const std::filesystem::path& folder,
                     const std::string& where);

// The base that `reference` names, a zoo entry's name or zoo:NAME, for an entry of another name that is to lie in
// `folder`. ConfigError, beginning with `where`, where it is no whole entry of the zoo.
BaseCard choose_base(const std::string& reference, std::string_view name, const std::filesystem::path& folder,
                     const std::string& where);

// What differs from the base's, to the bit. ConfigError, beginning with `where`, where nearly everything does.
Weights without_base(Weights weights, const BaseCard& base, const std::filesystem::path& folder,
                     const std::string& where);

}  // namespace vaetl::zoo
