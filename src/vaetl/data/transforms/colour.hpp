// Random changes of the values of images (N, C, H, W).
#pragma once
#include "vaetl/data/transforms/images.hpp"

namespace vaetl::transforms {

// RGB images (N, 3, H, W) blended with their grey, 0.2989 R + 0.587 G + 0.114 B: x′ = grey + f (x − grey), with a
// factor for each image, float (N), clamped to the image's own range. 0 is grey, 1 changes nothing.
at::Tensor adjust_saturation(const at::Tensor& images, const at::Tensor& factors);

// RGB images whose hue is turned, as in HSV, by turns[n] of the full circle. Least and greatest value of each pixel
// stay.
at::Tensor turn_hue(const at::Tensor& images, const at::Tensor& turns);

// Each image smoothed along both axes with Gaussian weights exp(−i² / 2σ²), |i| ≤ radius, normalised; mirrored at the
// edges. σ for each image, float (N). DataError for images no larger than the radius.
at::Tensor blur_images(const at::Tensor& images, const at::Tensor& sigmas, std::int64_t radius);

// Brightness and contrast for any number of channels, each with a factor of its own for each image:
//   x′ = low + f (x − low), f uniform in 1 ± brightness;  x″ = mean + g (x′ − mean), g uniform in 1 ± contrast
// where low and high are the least and greatest value of the image itself, which every result is clamped to: whatever
// range the preprocessing maps to, the values stay in it.
class Brightness final : public Transform {
 public:
  static constexpr const char* name = "brightness";
  struct Options {
    double brightness = 0.4, contrast = 0;
    static constexpr auto fields() {
      return std::tuple{field("brightness", &Options::brightness, "the factor lies in 1 ± this", between(0, 1)),
                        field("contrast", &Options::contrast, "the factor lies in 1 ± this", between(0, 1))};
    }
  };
  explicit Brightness(Options options) : options_(options) {}
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }

 private:
  Options options_;
};

// Saturation, hue and greyness of RGB images, in this order; after `brightness` it completes what is known as colour
// jitter (arXiv:2002.05709, appendix A). Saturation by a factor uniform in 1 ± saturation, hue by a turn uniform in
// ± hue of the circle, then grey altogether with probability `grey`. None of it depends on the range of the values;
// where preprocessing gives each channel a scale of its own, the colours are those of the scaled channels. DataError
// for images of other than three channels.
class Colour final : public Transform {
 public:
  static constexpr const char* name = "colour";
  struct Options {
    double saturation = 0.4, hue = 0.1, grey = 0;
    static constexpr auto fields() {
      return std::tuple{field("saturation", &Options::saturation, "the factor lies in 1 ± this", between(0, 1)),
                        field("hue", &Options::hue, "largest turn either way, of the full circle", between(0, 0.5)),
                        field("grey", &Options::grey, "probability of no colour at all", between(0, 1))};
    }
  };
  explicit Colour(Options options) : options_(options) {}
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }

 private:
  Options options_;
};

// With probability p blurred by a Gaussian with σ uniform in `sigma` (arXiv:2002.05709, appendix A), cut off at three
// times the largest σ. DataError for images no larger than that.
class Blur final : public Transform {
 public:
  static constexpr const char* name = "blur";
  struct Options {
    std::vector<double> sigma = {0.1, 2};
    double p = 0.5;
    static constexpr auto fields() {
      return std::tuple{field("sigma", &Options::sigma, "standard deviation in pixels, [low, high]"),
                        field("p", &Options::p, "probability", between(0, 1))};
    }
    void validate() const;
  };
  explicit Blur(Options options);
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }

 private:
  Options options_;
};

// x′ = x + sigma ε, ε standard normal for each value. Not clamped, which would give the noise a mean.
class Noise final : public Transform {
 public:
  static constexpr const char* name = "noise";
  struct Options {
    double sigma = 0.1;
    static constexpr auto fields() {
      return std::tuple{field("sigma", &Options::sigma, "standard deviation", at_least(0))};
    }
  };
  explicit Noise(Options options) : options_(options) {}
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }

 private:
  Options options_;
};

}  // namespace vaetl::transforms
