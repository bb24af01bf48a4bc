// Random changes of where things are in an image (N, C, H, W): shift, crop, random_crop, flip, rotate. Values stay in
// the range of the batch and of the fill. Each is a draw of parameters and a function of them, which is what tests and
// users may call alone.
#pragma once
#include <vector>

#include "vaetl/data/transforms/images.hpp"

namespace vaetl::transforms {

// Moves image n down by offsets[0][n] and right by offsets[1][n] pixels (int64 (2, N), each at most `most` either way).
// What comes into sight is 0, or with `border` a copy of the edge.
at::Tensor shift_images(const at::Tensor& images, const at::Tensor& offsets, std::int64_t most, bool border = false);

// Cuts height × width pixels out of each image, padded by `padding` pixels on all sides. `corners`: int64 (2, N), top
// and left in the padded image. DataError where the padding reaches the image's sides, or leaves too little to cut
// from.
at::Tensor crop_padded(const at::Tensor& images, const at::Tensor& corners, std::int64_t height, std::int64_t width,
                       std::int64_t padding, const std::string& fill);

// Image n about its centre sheared by shears[n], enlarged by scales[n] and turned clockwise by angles[n], bilinearly,
// as torchvision's affine does: the pixel p = (x, y) of the result, counted from the centre, is read at A⁻¹ p,
//   A = s [cos a  −sin a; sin a  cos a] [1  −tan h; 0  1]
// angles a and shears h in radians, all three floats (N).
at::Tensor affine_images(const at::Tensor& images, const at::Tensor& angles, const at::Tensor& scales,
                         const at::Tensor& shears, const std::string& fill = "zero");

// Resizes a box of each image to the full size, bilinearly, as torchvision's resized_crop does without antialiasing.
// `boxes`: float (4, N) top, left, height, width in pixels, which need not be whole. Samples beyond the edge take the
// edge's value.
at::Tensor crop_images(const at::Tensor& images, const at::Tensor& boxes);

// Each image is moved by whole pixels, uniform in −pixels … pixels in both directions.
class Shift final : public Transform {
 public:
  static constexpr const char* name = "shift";
  struct Options {
    std::int64_t pixels = 2;
    std::string fill = "zero";
    static constexpr auto fields() {
      return std::tuple{
          field("pixels", &Options::pixels, "farthest shift in each direction", between(0, 4096)),
          choice("fill", &Options::fill, "what comes into sight: zero, or a copy of the border", {"zero", "border"})};
    }
  };
  explicit Shift(Options options) : options_(std::move(options)) {}
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }

 private:
  Options options_;
};

// Crop and resize (arXiv:1409.4842, section 6): a box with a share of the area uniform in `scale` and a ratio of width
// to height log-uniform in `ratio`, anywhere in the image. Unlike torchvision's, boxes are not rounded to pixels, and
// one that is too long for the image is shortened instead of drawn again, so that a batch takes one draw.
class Crop final : public Transform {
 public:
  static constexpr const char* name = "crop";
  struct Options {
    std::vector<double> scale = {0.08, 1}, ratio = {3.0 / 4, 4.0 / 3};
    static constexpr auto fields() {
      return std::tuple{field("scale", &Options::scale, "share of the area, [low, high]"),
                        field("ratio", &Options::ratio, "width over height, [low, high]")};
    }
    void validate() const;
  };
  explicit Crop(Options options);
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }

 private:
  Options options_;
};

// Pads by `padding` pixels and cuts `size` out at a whole pixel, uniformly: what is usual on CIFAR (arXiv:1409.5185,
// section 3) with padding 4. With the image's own size it is `shift` by at most `padding`. DataError for padding as
// large as the image, and where `size` is larger than the padded image.
class RandomCrop final : public Transform {
 public:
  static constexpr const char* name = "random_crop";
  struct Options {
    std::vector<std::int64_t> size = {};
    std::int64_t padding = 4;
    std::string fill = "zero";
    static constexpr auto fields() {
      return std::tuple{
          field("size", &Options::size, "[height, width] of the result; empty: the image's own", at_least(1)),
          field("padding", &Options::padding, "pixels added on each side before", between(0, 4096)),
          choice("fill", &Options::fill, "what is added: zero, border or reflect", fills)};
    }
    void validate() const;
  };
  explicit RandomCrop(Options options);
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }

 private:
  Options options_;
};

// Left becomes right, or with the vertical axis top becomes bottom, with probability p.
class Flip final : public Transform {
 public:
  static constexpr const char* name = "flip";
  struct Options {
    double p = 0.5;
    std::string axis = "horizontal";
    static constexpr auto fields() {
      return std::tuple{field("p", &Options::p, "probability", between(0, 1)),
                        choice("axis", &Options::axis, "horizontal swaps left and right, vertical top and bottom",
                               {"horizontal", "vertical"})};
    }
  };
  explicit Flip(Options options) : options_(std::move(options)) {}
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }

 private:
  Options options_;
};

// Each image is turned about its centre by an angle uniform in ± degrees, and where asked enlarged by a factor uniform
// in `scale` and sheared by an angle uniform in ± shear, all in one bilinear step (affine_images).
class Rotate final : public Transform {
 public:
  static constexpr const char* name = "rotate";
  struct Options {
    double degrees = 15;
    std::vector<double> scale = {1, 1};
    double shear = 0;
    std::string fill = "zero";
    static constexpr auto fields() {
      return std::tuple{
          field("degrees", &Options::degrees, "largest angle, either way", between(0, 180)),
          field("scale", &Options::scale, "factor of the size, [low, high]"),
          field("shear", &Options::shear, "largest angle of shear in degrees, either way", between(0, 80)),
          choice("fill", &Options::fill, "what comes into sight: zero, border or reflect", fills)};
    }
    void validate() const;
  };
  explicit Rotate(Options options);
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }

 private:
  Options options_;
};

}  // namespace vaetl::transforms
