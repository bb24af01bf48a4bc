// Random changes of the values of images (N, C, H, W).
#pragma once
#include "vaetl/data/transform.hpp"

namespace vaetl::transforms {

// Brightness and contrast, each with a factor of its own for each image:
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
