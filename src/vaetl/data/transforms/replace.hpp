// Random replacement of a part of each example: of a box by nothing or noise (erase), of a box by another example's
// (cutmix), or of a share of every value by another example's (mixup).
#pragma once
#include <vector>

#include "vaetl/data/transforms/images.hpp"

namespace vaetl::transforms {

// With probability p a box of the image is overwritten (arXiv:1708.04896, algorithm 1): its share of the area uniform
// in `scale`, its ratio of width to height log-uniform in `ratio`, rounded to whole pixels, anywhere in the image. One
// that is too long is shortened instead of drawn again. Filled with 0, or with noise: for each value uniform between
// the least and greatest of the image.
class Erase final : public Transform {
 public:
  static constexpr const char* name = "erase";
  struct Options {
    double p = 0.5;
    std::vector<double> scale = {0.02, 0.33}, ratio = {0.3, 1 / 0.3};
    std::string fill = "zero";
    static constexpr auto fields() {
      return std::tuple{field("p", &Options::p, "probability", between(0, 1)),
                        field("scale", &Options::scale, "share of the area, [low, high]"),
                        field("ratio", &Options::ratio, "width over height, [low, high]"),
                        choice("fill", &Options::fill, "what the box holds: zero or noise", {"zero", "noise"})};
    }
    void validate() const;
  };
  explicit Erase(Options options);
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }

 private:
  Options options_;
};

// Mixing examples and what they are called. Every example has a partner in its batch, by a random permutation, and
// keeps a share λ of its own. Targets that are floats become λ y + (1 − λ) y′. Labels, being whole numbers, stay, and
// two fields join: "target.other", the partner's, and "mix" (N), λ; only an objective that reads them may train on such
// a batch (Needs::mixed), as cross_entropy does. Where examples have a "weight", that of the mixed one is λ w + (1 − λ)
// w′, and the share that its own target has of it, λ w / (λ w + (1 − λ) w′), takes the place of λ for values and "mix":
// of labels the loss is λ w L + (1 − λ) w′ L′ then. The field "index" stays that of the first example.
//
// λ ~ Beta(alpha, alpha), one for each example. ConfigError where labels are mixed already, so one of the two alone,
// and with several views of an example, which would each have another partner.

// x′ = λ x + (1 − λ) x′ of the partner (arXiv:1710.09412, equation 1), input of any shape. DataError for input that is
// not of floats, or of sequences with a length each.
class Mixup final : public Transform {
 public:
  static constexpr const char* name = "mixup";
  struct Options {
    double alpha = 0.2;
    static constexpr auto fields() {
      return std::tuple{field("alpha", &Options::alpha, "of the Beta distribution: 1 is uniform, little mixes little",
                              between(0.05, 1000))};
    }
  };
  explicit Mixup(Options options) : options_(options) {}
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }
  bool mixes() const override { return true; }

 private:
  Options options_;
};

// A box with the ratio of the image and the share 1 − λ of its area, its centre uniform in the image, comes from the
// partner (arXiv:1905.04899, equations 1 and 2). Its part beyond the edge is lost; λ then is the share of pixels kept.
class CutMix final : public Transform {
 public:
  static constexpr const char* name = "cutmix";
  struct Options {
    double alpha = 1;
    static constexpr auto fields() {
      return std::tuple{field("alpha", &Options::alpha, "of the Beta distribution: 1 is uniform, little mixes little",
                              between(0.05, 1000))};
    }
  };
  explicit CutMix(Options options) : options_(options) {}
  void apply(Fields& fields, at::Generator& generator) const override;
  bool random() const override { return true; }
  bool mixes() const override { return true; }

 private:
  Options options_;
};

}  // namespace vaetl::transforms
