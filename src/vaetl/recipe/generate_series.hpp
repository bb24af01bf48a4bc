// What models of series and of plain rows make as a table: a row each, in the data's own units.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "vaetl/recipe/generate.hpp"

namespace vaetl::recipe {

// Whether the model's inputs are series (T) or (T, F) of values whose preprocessing can be undone.
bool sees_series(const Model& model);

// FILE.csv: a header t0, t1, …, of several features t0.0, t0.1, …, t1.0, …; then a row a series. Where classes were
// asked for, their names (or numbers, where `classes` has none) stand first, in the column `class`.
// ConfigError unless sees_series().
void write_series(const std::filesystem::path& file, const Model& model, const Generated& made,
                  const std::vector<std::string>& classes);

}  // namespace vaetl::recipe
