// views.json: what a run page draws of a trained model besides its pictures, as plain data. Internal to recipe.
//
//   {"confusion": {"split", "examples", "of", "classes": names, "cells": [[label, called, examples], …]},
//    "latents": {"split", "examples", "of", "dimensions", "index", "labels", "classes",
//                "maps": [{"method": "pca" | "tsne" | "latents", "points": [[x, y], …], …}]}}
//
// "split" is test, validation or train; "of" how many examples that has. A part that does not apply is absent. Nothing
// here draws a random number, so a resumed run has the same.
#pragma once
#include <optional>
#include <string>

#include "vaetl/recipe/data.hpp"
#include "vaetl/recipe/encode.hpp"
#include "vaetl/recipe/predictions.hpp"

namespace vaetl::recipe {

// What a run is scored on: the test data, else those for validation. Empty where there are neither.
struct ScoredPart {
  const Dataset* data = nullptr;
  std::string split = {};
};
ScoredPart scored_part(const Data& data);

struct LatentSample {
  std::string split;
  std::int64_t of = 0;
  Latents latents;
};
// Of at most 500 examples, evenly spread, of what is scored or else trained on; with thumbnails where asked for. None
// for a model that is no encoder, or needs classes that the data do not have.
std::optional<LatentSample> sample_latents(Model& model, const Data& data, bool thumbnails);

Json confusion_view(const Predictions& predictions, const Dataset& data, const std::string& split);
// Null where no map can be made: of fewer than eight examples, of a single dimension, of latents that are all alike or
// not finite.
Json latent_view(const LatentSample& sample);

}  // namespace vaetl::recipe
