// Pictures of one shape each, whose factors are known, as a packed file (data/packed.hpp): after the idea of dSprites
// (Matthey et al. 2017; used in arXiv:1802.05983 to measure disentanglement).
// `input` uint8 (N, C, S, S); `target`: square 0, ellipse 1, heart 2; `factors` float32 (N, F) in this order: shape
// 0 … 2, scale ½ … 1, rotation 0 … 2π, x and y 0 … 1 (all of which stay inside), and hue 0 … 1 where there is colour.
// They are drawn independently and uniformly; example i is a function of the seed and i alone. A square looks the same
// after a quarter turn, an ellipse after half of one.
#pragma once
#include "vaetl/data/make.hpp"

namespace vaetl::makers {

class Shapes final : public Maker {
 public:
  static constexpr const char* name = "shapes";
  struct Options {
    std::int64_t count = 10000, side = 32;
    bool colour = true;
    double test_share = 0.2;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{field("count", &O::count, "pictures", between(4, 1e7)),
                        field("side", &O::side, "S: pixels of a side", between(8, 256)),
                        field("colour", &O::colour, "on a hue of its own, RGB; else white, grey"),
                        field("test_share", &O::test_share, "share that is the test split", between(0, 0.9))};
    }
  };
  explicit Shapes(const Options& options) : options_(options) {}
  const char* out() const override { return "FILE"; }
  Made make(const std::filesystem::path& out, const Making& making) const override;

 private:
  Options options_;
};

}  // namespace vaetl::makers
