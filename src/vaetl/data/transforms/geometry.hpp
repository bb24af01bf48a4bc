// Random changes of where things are in an image (N, C, H, W): shift, crop, flip. Values stay in the range of the batch
// and of the fill. Each is a draw of parameters and a function of them, which is what tests and users may call alone.
#pragma once
#include <vector>

#include "vaetl/data/transform.hpp"

namespace vaetl::transforms {

// Moves image n down by offsets[0][n] and right by offsets[1][n] pixels (int64 (2, N), each at most `most` either way).
// What comes into sight is 0, or with `border` a copy of the edge.
at::Tensor shift_images(const at::Tensor& images, const at::Tensor& offsets, std::int64_t most, bool border = false);

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

// Left becomes right with probability p.
class Flip final : public Transform {
 public:
  static constexpr const char* name = "flip";
  struct Options {
    double p = 0.5;
    static constexpr auto fields() { return std::tuple{field("p", &Options::p, "probability", between(0, 1))}; }
  };
  explicit Flip(Options options) : options_(options) {}
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }

 private:
  Options options_;
};

}  // namespace vaetl::transforms
