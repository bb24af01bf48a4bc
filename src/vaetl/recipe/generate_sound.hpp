// Sound from models that were trained on pictures of it: the preprocessing that their weights carry is asked for the
// sound of what they make (data/makes_sound.hpp), at the rate and of the length that the reader of their data had.
//
//   const Pretrained digits = zoo::load("runs/spoken-digits-vae");
//   const recipe::Generated made = recipe::generate(*digits.model, {.count = 20});
//   recipe::write_sounds("new", *digits.model, made, digits.card.classes, /*seed=*/0);
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "vaetl/recipe/generate.hpp"

namespace vaetl::recipe {

// Whether nothing but such a transform stands between files of sound and what the model sees.
bool sees_sound(const Model& model);

struct Clips {
  at::Tensor samples = {};  // float32 (N, S), full scale is 1
  std::int64_t rate = 0;
};
// pictures (N, …) as the model makes them. The seed is of what pictures do not tell, their phases. DataError for values
// that are not finite; ConfigError unless sees_sound().
Clips clips_of(const Model& model, const at::Tensor& pictures, std::uint64_t seed);

// All clips in one WAV file of 16 bits, one behind the other.
void write_sound(const std::filesystem::path& file, const Model& model, const Generated& made, std::uint64_t seed);
// A WAV file each, 0.wav, 1.wav, … with as many digits each, of conditional models CLASS/0.wav, …, in a folder that is
// new or empty: the layout that the reader `sound` takes for labelled files. OutputError for another.
void write_sounds(const std::filesystem::path& folder, const Model& model, const Generated& made,
                  const std::vector<std::string>& classes, std::uint64_t seed);

}  // namespace vaetl::recipe
