// Pictures of what a model learnt, by what it can do: reconstructions, samples, a walk through the latent space, odd
// ones, mistakes. Internal to recipe.
#pragma once
#include <filesystem>

#include "vaetl/nn/model.hpp"
#include "vaetl/recipe/data.hpp"

namespace vaetl::recipe {

// PNG files and captions.json ({file: caption}) in `folder`; nothing where the model's input is no image or it offers
// nothing to draw. The model is in evaluation mode. LibTorch's default generators are seeded.
void draw_pictures(Model& model, const Data& data, std::uint64_t seed, const std::filesystem::path& folder);

}  // namespace vaetl::recipe
