// How well a model repairs damage that is done to known pictures, beside what needs no model: the median for noise,
// diffusion for what is missing, bicubic enlargement for what lost its detail.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "vaetl/data/dataset.hpp"
#include "vaetl/objectives/corruption.hpp"
#include "vaetl/recipe/repair.hpp"

namespace vaetl::recipe {

struct CompareOptions {
  std::uint64_t seed = 0;   // of the damage
  std::int64_t shown = 10;  // pictures to look at, the first ones
  std::function<void(std::int64_t pictures)> progress = {};
};

// Means over the pictures, of the range from black to white (metrics/picture_quality.hpp). A mean of decibels is ruled
// by pictures that are easy; the root of the mean squared error of all pixels by those that are hard.
struct Quality {
  std::string method;
  double psnr = 0, rmse = 0;
  std::optional<double> ssim = {};  // none of pictures that are smaller than its window
};

struct Comparison {
  std::vector<Quality> methods;   // damaged, the classical one, model
  std::vector<at::Tensor> shown;  // clean, and then of each method, (M, C, H, W) as shares from black to white
};

// What the model gets is what apply() makes; where it is known what is missing, all else stays as it was. Values beyond
// black and white are clipped before anything is compared. The damage depends on the seed, the pictures' places and
// the kind of device alone. Errors as a Repairer has them.
Comparison compare_repairs(Model& model, const Dataset& data, const Corruption& corruption,
                           const CompareOptions& options = {});

// A row for the clean pictures and one a method.
at::Tensor comparison_grid(const Comparison& comparison);

// From "NAME" or "NAME?option=value&option=value", as data are referred to. ConfigError, beginning with `path`.
Spec<Corruption> damage_from(const std::string& reference, const std::string& path);

// The damage that a recipe trained against, the first there is; none: it trained against none.
std::optional<Spec<Corruption>> trained_damage(const Json& recipe);

}  // namespace vaetl::recipe
