// The section "data" as tensors. Internal to recipe.
#pragma once
#include <optional>

#include "vaetl/data/pipeline.hpp"
#include "vaetl/recipe/data_cache.hpp"
#include "vaetl/recipe/recipe.hpp"

namespace vaetl::recipe {

struct Data {
  Pipeline pipeline;            // streams, preprocessing to be fitted, validation data
  std::optional<Dataset> test;  // none where the set has no test split
  const Dataset& train() const { return pipeline.streams[0].data; }
};

// Labels are dropped first, then so many of each class are drawn with the seed, then validation data are held out of
// what is left: it only ever sees the labels at hand. Classes are weighed last, in what remains to train on.
// `reading.fitted` is what the weights carry; it counts where the section inherits its preprocessing.
Data open_data(const DataSection& section, std::uint64_t seed, DataCache& cache, Reading reading = {});

}  // namespace vaetl::recipe
