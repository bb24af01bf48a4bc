// New examples from a Generator: noise z ~ N(0, 1), by the model, for each class in turn where it is conditional.
//
//   const Pretrained vae = zoo::load("fashion-mnist-conv-vae");
//   write_png("new.png", image_grid(to_pixels(*vae.model, recipe::generate(*vae.model, {.count = 64}).values), 8));
#pragma once
#include <optional>
#include <string>

#include "vaetl/core/config.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::recipe {

struct GenerateOptions {
  std::int64_t count = 64;
  std::optional<std::int64_t> condition = {};  // the class of all; none: all classes in turn
  double temperature = 1;                      // factor on the noise
  double truncation = 0;                       // > 0: noise of at most this size, drawn from N(0, 1) given that
  std::uint64_t seed = 0;
  static constexpr auto fields() {
    using G = GenerateOptions;
    return std::tuple{field("count", &G::count, "how many", between(1, 1 << 20)),
                      field("condition", &G::condition, "the class of all; none: all classes in turn", at_least(0)),
                      field("temperature", &G::temperature, "factor on the noise", between(0, 100)),
                      field("truncation", &G::truncation, "largest size of the noise; 0: any", between(0, 100)),
                      field("seed", &G::seed, "of the noise")};
  }
};

struct Generated {
  at::Tensor values;     // (N, …) as the model makes them, on the CPU
  at::Tensor condition;  // (N) int64; undefined where the model is not conditional
};

// In evaluation mode, in parts, without gradients; a pure function of weights and options: the noise is drawn on the
// CPU, whatever the device. LibTorch's default generators are seeded. ConfigError for a model that is no Generator, a
// class of one that is not conditional or that it does not have, an option out of range.
Generated generate(Model& model, const GenerateOptions& options);

// The noise of these examples, (count, noise_size) on the CPU. The columns in front, so many, choose among the
// components of a learned prior: an index, which temperature and truncation leave alone.
at::Tensor draw_noise(const Model& model, const GenerateOptions& options);
std::int64_t choosing_columns(const Model& model);
// What the model makes of noise (N, Z), with conditions (N) where it is conditional; as generate() does it.
Generated generate_from(Model& model, const at::Tensor& noise, const at::Tensor& condition);

// The classes that a conditional model takes; 0 of another.
std::int64_t conditions_of(const Model& model);
// (count) int64: the class that is asked for, or all in turn; undefined where the model is not conditional.
at::Tensor conditions_for(const Model& model, const GenerateOptions& options);

// Of the classes that a model may be asked for: the card's, or else those of the reader of its data. Empty: not told.
std::vector<std::string> class_names(const Pretrained& loaded);

// The index of a class that is given by its index or, where they are known, by its name. ConfigError with the
// nearest name.
std::int64_t class_index(const Pretrained& loaded, const std::string& text);

}  // namespace vaetl::recipe
