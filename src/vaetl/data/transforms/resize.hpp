// Changes of an image's size. They are deterministic, so they serve preprocessing as well.
#pragma once
#include <vector>

#include "vaetl/data/transform.hpp"

namespace vaetl::transforms {

// (N, C, H, W) uint8 or floating → (N, C, height, width), antialiased: where it shrinks, the filter widens with the
// scale. `filter`: "bilinear" or "bicubic" (a = −0.5).
//
// On uint8 the result differs from that of Pillow 13's Image.resize, channel by channel, by at most 2 levels, and in
// fewer than 1 % of the values: measured over 600 random sizes of noise, with and without vector instructions
// (tests/parity/resize.py --sweep), and kept by a test. The passes stand in Pillow's order (rows first only where the
// height loses more than twice what the width does), each rounded and clipped to 0 … 255. On floating values nothing
// is rounded or clipped, which for bicubic is up to 18 levels apart from that on photographs.
at::Tensor resize_images(const at::Tensor& images, std::int64_t height, std::int64_t width, const std::string& filter);

// The middle of the images, a view. Halves are rounded to even, as torchvision's centre crop does. DataError for images
// that are smaller.
at::Tensor centre_crop_images(const at::Tensor& images, std::int64_t height, std::int64_t width);

// Two numbers from 1 to 16384, or a ConfigError at `where`.
void check_image_size(const std::string& where, const std::vector<std::int64_t>& size);

// (C, H, W) → the same channels in any size.
std::vector<std::int64_t> any_image_size(std::vector<std::int64_t> shape);

// `input` (N, C, H, W) → (N, C, *size), stretched where the ratio differs.
class Resize final : public Transform {
 public:
  static constexpr const char* name = "resize";
  struct Options {
    std::vector<std::int64_t> size = {224, 224};
    std::string filter = "bilinear";
    static constexpr auto fields() {
      return std::tuple{field("size", &Options::size, "height and width"),
                        choice("filter", &Options::filter, "both antialiased", {"bilinear", "bicubic"})};
    }
    void validate() const { check_image_size("resize.size", size); }
  };
  explicit Resize(Options options) : options_(std::move(options)) { options_.validate(); }
  void apply(Fields& fields, at::Generator& generator) const override;
  std::optional<std::vector<std::int64_t>> shape_before(const std::vector<std::int64_t>& after) const override {
    return any_image_size(after);
  }

 private:
  Options options_;
};

// `input` (N, C, H, W) → (N, C, *size). DataError for images that are smaller.
class CentreCrop final : public Transform {
 public:
  static constexpr const char* name = "centre_crop";
  struct Options {
    std::vector<std::int64_t> size = {224, 224};
    static constexpr auto fields() { return std::tuple{field("size", &Options::size, "height and width")}; }
    void validate() const { check_image_size("centre_crop.size", size); }
  };
  explicit CentreCrop(Options options) : options_(std::move(options)) { options_.validate(); }
  void apply(Fields& fields, at::Generator& generator) const override;
  std::optional<std::vector<std::int64_t>> shape_before(const std::vector<std::int64_t>& after) const override {
    return any_image_size(after);
  }

 private:
  Options options_;
};

}  // namespace vaetl::transforms
