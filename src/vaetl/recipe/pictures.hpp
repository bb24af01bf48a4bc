// Pictures of what a model learnt, by what it can do: reconstructions, samples, a walk through the latent space, odd
// ones, mistakes. Internal to recipe.
#pragma once
#include <filesystem>

#include "vaetl/nn/model.hpp"
#include "vaetl/recipe/data.hpp"
#include "vaetl/recipe/predictions.hpp"

namespace vaetl::recipe {

// PNG files and captions.json ({file: caption}) in `folder`; nothing where the model's input is no image or it offers
// nothing to draw; mistakes are those of `predictions` on the test data. The model is in evaluation mode. LibTorch's
// default generators are seeded.
void draw_pictures(Model& model, const Data& data, const std::optional<Predictions>& predictions, std::uint64_t seed,
                   const std::filesystem::path& folder);

}  // namespace vaetl::recipe
