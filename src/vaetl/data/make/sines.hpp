// Series of sines, of which frequencies, amplitudes and phases are known.
#pragma once
#include "vaetl/data/make.hpp"

namespace vaetl::makers {

// task "classes", FILE.ts (data/readers/ts.hpp): class k = 1 … K has k + 1 waves in its length, amplitude uniform in
// ½ … 1½, any phase, and normal noise. task "forecast", FILE.csv (data/readers/series.hpp): one series
// Σ aᵢ sin(2π t / pᵢ + φᵢ) + noise, whose best forecast errs by the noise alone.
class Sines final : public Maker {
 public:
  static constexpr const char* name = "sines";
  struct Options {
    std::string task = "classes";
    std::int64_t count = 600, classes = 3, length = 128, components = 3;
    double noise = 0.3;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          choice("task", &O::task, "what is to be learnt", {"classes", "forecast"}),
          field("count", &O::count, "series of the classes, or moments of the one series", between(2, 1e8)),
          field("classes", &O::classes, "K, of classes", between(2, 100)),
          field("length", &O::length, "moments of each series, of classes", between(8, 100000)),
          field("components", &O::components, "sines, of forecast", between(1, 100)),
          field("noise", &O::noise, "standard deviation of the noise", at_least(0))};
    }
  };
  explicit Sines(const Options& options) : options_(options) {}
  const char* out() const override { return options_.task == "classes" ? "FILE.ts" : "FILE.csv"; }
  Made make(const std::filesystem::path& out, const Making& making) const override;

 private:
  Made make_classes(const std::filesystem::path& out, const Making& making) const;
  Made make_series(const std::filesystem::path& out, const Making& making) const;
  Options options_;
};

}  // namespace vaetl::makers
