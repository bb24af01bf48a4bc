// Points in the plane or in space with a class each, as tables (data/readers/csv.hpp).
#pragma once
#include "vaetl/data/make.hpp"

namespace vaetl::makers {

// Two half circles of radius 1 that reach into each other: (cos t, sin t) and (1 − cos t, ½ − sin t), t uniform in
// 0 … π, with normal noise on both coordinates. Columns x, y and moon (0, 1), half of each.
class TwoMoons final : public Maker {
 public:
  static constexpr const char* name = "two-moons";
  struct Options {
    std::int64_t count = 1000;
    double noise = 0.1;
    static constexpr auto fields() {
      return std::tuple{field("count", &Options::count, "examples", between(2, 1e9)),
                        field("noise", &Options::noise, "standard deviation of the noise", at_least(0))};
    }
  };
  explicit TwoMoons(const Options& options) : options_(options) {}
  const char* out() const override { return "FILE.csv"; }
  Made make(const std::filesystem::path& out, const Making& making) const override;

 private:
  Options options_;
};

// Two domains, a folder with source.csv and target.csv. In the source the classes are normal, N(±s/2 e₁, I), half of
// each; in the target everything is moved by `shift` in the plane of e₁ and e₂. Errors of the best classifiers, with Φ
// the normal distribution's function and a the part of the shift along e₁:
//   either domain by its own best        Φ(−s/2)
//   the target by the source's best      ½ Φ(−s/2 − a) + ½ Φ(−s/2 + a)
class Gaussians final : public Maker {
 public:
  static constexpr const char* name = "gaussians";
  struct Options {
    std::int64_t count = 1000, dims = 2;
    double separation = 2, shift = 2, angle = 0;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{field("count", &O::count, "examples of each domain", between(2, 1e9)),
                        field("dims", &O::dims, "columns", between(2, 1000)),
                        field("separation", &O::separation, "s: distance of the classes' means", at_least(0)),
                        field("shift", &O::shift, "distance of the domains' means", at_least(0)),
                        field("angle", &O::angle, "of the shift, degrees from the line through the classes' means")};
    }
  };
  explicit Gaussians(const Options& options) : options_(options) {}
  const char* out() const override { return "FOLDER"; }
  Made make(const std::filesystem::path& out, const Making& making) const override;

 private:
  void write(const std::filesystem::path& file, double along, double across, const Making& making) const;
  Options options_;
};

}  // namespace vaetl::makers
