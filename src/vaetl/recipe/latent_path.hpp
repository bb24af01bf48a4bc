// Ways through what a model decodes: from one example's code to another's, and around among codes drawn at random.
//
//   const auto one = [&](std::int64_t i) { return fashion.test.select(at::full({1}, i, at::kLong)); };
//   const auto between = recipe::interpolate(*vae.model, one(3), one(17));
//   write_png("between.png", image_grid(to_pixels(*vae.model, between.values), 10));
#pragma once
#include "vaetl/data/dataset.hpp"
#include "vaetl/recipe/generate.hpp"

namespace vaetl::recipe {

// The point at `share` (N), 0 … 1, of the way from a to b, (N, Z) each: of the straight line, or where codes are
// normal, whose sizes are all about alike, of the great circle (Shoemake 1985; arXiv:1609.04468).
enum class Way { line, circle };
at::Tensor point_between(const at::Tensor& a, const at::Tensor& b, const at::Tensor& share, Way way);

struct InterpolateOptions {
  std::int64_t count = 10;
  static constexpr auto fields() {
    using I = InterpolateOptions;
    return std::tuple{field("count", &I::count, "examples, the rebuilt ends among them", between(2, 4096))};
  }
};

// What the model decodes at equal steps from the code of one example to that of another: along the circle where it is
// Variational. A conditional model encodes each with its own class and decodes all with the first one's. ConfigError
// for a model that does not both encode and decode; DataError unless there is one example in each.
Generated interpolate(Model& model, const Dataset& first, const Dataset& last, const InterpolateOptions& options = {});

// `options.count` steps around a closed way that passes `stops` draws of noise, those that generate() would draw. Of a
// conditional model without a class, all classes at each step, so count × classes examples, those of a step together;
// one component of a learned prior throughout. ConfigError as generate().
Generated walk(Model& model, std::int64_t stops, const GenerateOptions& options);

}  // namespace vaetl::recipe
