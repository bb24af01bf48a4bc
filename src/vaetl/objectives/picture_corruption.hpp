// Damage that only pictures (N, C, H, W) can have; objectives/corruption.hpp lists all kinds. DataError for anything
// else.
//
// box      a rectangle at a random place is missing
// strokes  thick straight lines between random points are missing
// halve    every 2 × 2 pixels become their mean: a picture of half the size, shown at the old one
//
// What is missing is filled with one shade, `fill`: 0 the least, 1 the greatest value that an input can be. The middle
// one is seen on white and on black, so a model can tell by itself what is missing.
#pragma once
#include "vaetl/objectives/corruption.hpp"

namespace vaetl::corruptions {

// Draws (N, 2), the place as shares of the room that there is.
class Box final : public Corruption {
 public:
  static constexpr std::string_view name = "box";
  struct Options {
    double side = 0.4, fill = 0.5;
    static constexpr auto fields() {
      return std::tuple{
          field("side", &Options::side, "of the missing rectangle, as a share of the picture's", between(0, 1)),
          field("fill", &Options::fill, "shade of what is missing, from 0 to 1", between(0, 1))};
    }
  };
  explicit Box(Options options) : options_(options) {}
  at::Tensor draw(const at::Tensor& x) const override;
  at::Tensor apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo& info) const override;
  Damage damage() const override { return Damage::missing; }
  at::Tensor missing(const at::Tensor& x, const at::Tensor& noise) const override;

 private:
  Options options_;
};

// Draws (N, count, 4), both ends of each as shares of height and width.
class Strokes final : public Corruption {
 public:
  static constexpr std::string_view name = "strokes";
  struct Options {
    std::int64_t count = 3;
    double width = 0.08, fill = 0.5;
    static constexpr auto fields() {
      return std::tuple{
          field("count", &Options::count, "strokes a picture", between(1, 100)),
          field("width", &Options::width, "of a stroke, as a share of the picture's shorter side", between(0, 1)),
          field("fill", &Options::fill, "shade of what is missing, from 0 to 1", between(0, 1))};
    }
  };
  explicit Strokes(Options options) : options_(options) {}
  at::Tensor draw(const at::Tensor& x) const override;
  at::Tensor apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo& info) const override;
  Damage damage() const override { return Damage::missing; }
  at::Tensor missing(const at::Tensor& x, const at::Tensor& noise) const override;

 private:
  Options options_;
};

// Draws nothing. A side of odd length ends with single pixels, which stay.
class Halve final : public Corruption {
 public:
  static constexpr std::string_view name = "halve";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  explicit Halve(Options = {}) {}
  at::Tensor draw(const at::Tensor& x) const override;
  at::Tensor apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo& info) const override;
  Damage damage() const override { return Damage::detail; }
};

// (N, C, H, W) → (N, C, ⌈H / 2⌉, ⌈W / 2⌉), the means; and back, every pixel twice each way, to `height` by `width`.
at::Tensor halved_picture(const at::Tensor& x);
at::Tensor doubled_picture(const at::Tensor& half, std::int64_t height, std::int64_t width);

}  // namespace vaetl::corruptions
