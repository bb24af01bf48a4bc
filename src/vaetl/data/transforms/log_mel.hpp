// Sound (N, S) → log-mel spectrogram (N, 1, M, T), T = 1 + ⌊S / hop⌋, an image for a convolutional network.
//   X[k, t] = Σ_n w[n] x[n + t·hop − fft/2] exp(−2πi k n / fft), zeros around the sound, w the periodic Hann window
//   y[m, t] = log(max(floor, Σ_k H[m, k] |X[k, t]|²)), then (y − mean) / std
// H are triangles between M + 2 frequencies that are equally spaced in mel: `slaney`, linear below 1 kHz and
// logarithmic above, of area 2 / width (Slaney, Auditory Toolbox 1998; librosa's default), or `htk`, 2595 log₁₀(1 +
// f/700) (O'Shaughnessy 1987), of height 1.
//
// The way back, which no picture tells whole: the energies |X|² ≥ 0 whose filtered ones are nearest, then phases for
// them (data/transforms/griffin_lim.hpp).
#pragma once
#include <vector>

#include "vaetl/data/makes_sound.hpp"
#include "vaetl/data/transform.hpp"

namespace vaetl::transforms {

// Where examples have a `length` it becomes their number of frames. ConfigError where the rate is neither given nor
// known from the reader of the training data, or a triangle lies between two bins of the transform; DataError for input
// of another shape.
class LogMel final : public Transform, public MakesSound {
 public:
  static constexpr const char* name = "log_mel";
  struct Options {
    std::int64_t rate = 0, fft = 512, window = 400, hop = 160, mels = 40;
    double low = 0, high = 0, full_scale = 32768, floor = 1e-10;
    std::string filters = "slaney", log = "ln", standardise = "global";
    std::vector<double> mean = {}, std = {};
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          field("rate", &O::rate, "samples a second; 0: the reader's", between(0, 1e6)),
          field("fft", &O::fft, "samples of a transform", between(2, 1 << 20)),
          field("window", &O::window, "samples under the Hann window, in its middle", between(2, 1 << 20)),
          field("hop", &O::hop, "samples from one frame to the next", between(1, 1 << 20)),
          field("mels", &O::mels, "M: number of filters", between(1, 4096)),
          field("low", &O::low, "least frequency in Hz", between(0, 1e6)),
          field("high", &O::high, "greatest frequency in Hz; 0: half the rate", between(0, 1e6)),
          field("full_scale", &O::full_scale, "the sample that counts as 1: 32768 for int16", between(1e-9, 1e12)),
          field("floor", &O::floor, "least energy", between(1e-30, 1)),
          choice("filters", &O::filters, "scale and height of the filters", {"slaney", "htk"}),
          choice("log", &O::log, "of the energy", {"ln", "log10"}),
          choice("standardise", &O::standardise, "over all of the training data, each filter, or not at all",
                 {"global", "mel", "none"}),
          field("mean", &O::mean, "one, or one a filter; empty: fitted on the training data"),
          field("std", &O::std, "one, or one a filter; empty: fitted on the training data", between(1e-300, 1e300))};
    }
    void validate() const;
  };
  explicit LogMel(Options options);
  void apply(Fields& fields, at::Generator& generator) const override;
  Json fit(const Dataset& train) const override;
  at::Tensor sound_of(const at::Tensor& pictures, std::int64_t samples, at::Generator& generator) const override;
  std::int64_t rate() const override { return options_.rate; }
  std::optional<std::vector<std::int64_t>> shape_before(const std::vector<std::int64_t>&) const override { return {}; }
  std::optional<Range> range_before(std::optional<Range>) const override { return {}; }

 private:
  at::Tensor spectrogram(const at::Tensor& sound) const;  // (N, S) → (N, M, T)
  at::Tensor energies(const at::Tensor& pictures) const;  // (N, 1, M, T) → (N, M, T), before the logarithm
  void check_ready() const;                               // it knows the rate
  void check_fitted() const;                              // and mean and std
  Options options_;
  at::Tensor hann_, filters_;  // float32 (window), (fft/2 + 1, M)
  at::Tensor mean_, factor_;   // float32 (1 or M, 1)
};

}  // namespace vaetl::transforms
