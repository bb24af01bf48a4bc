// A set that a small network learns within a few steps: four classes of 8×8 images, each with another bright quadrant.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "vaetl/recipe/data_cache.hpp"
#include "vaetl/recipe/recipe.hpp"

namespace vaetl::testing {

struct ToyOptions {
  std::int64_t train_per_class = 12, test_per_class = 10;
  bool random_train_labels = false, random_test_labels = false;
};
Splits toy_splits(const ToyOptions& options = {});
// A cache with the set "toy".
std::shared_ptr<recipe::DataCache> toy_cache(const ToyOptions& options = {});

// A classifier trained for a few steps on "toy".
Json toy_recipe();
// A variational autoencoder trained for a few steps on "toy" without labels.
Json toy_vae_recipe();

std::string file_bytes(const std::string& path);

}  // namespace vaetl::testing
