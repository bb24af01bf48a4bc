// Sound from the magnitudes of its short-time Fourier transform, whose phases are not known.
//
// Griffin and Lim (IEEE Transactions on Acoustics, Speech and Signal Processing 32, 1984, eq. 6 and section III): of
// any spectrogram C, istft(C) is the sound whose own spectrogram is nearest. Turn about, the phases are those of the
// nearest sound's spectrogram and the magnitudes the wanted ones. With a momentum α of the steps (Perraudin, Balazs and
// Søndergaard, WASPAA 2013, algorithm 2) the phases are those of
//   t_n = c_n + α (c_n − c_{n−1}),  c_n = stft(istft(magnitude · exp(i · phase of t_{n−1}))),  α 0: the method of 1984
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vaetl::transforms {

// Frames centred on every hop-th sample, zeros around the sound.
struct Stft {
  std::int64_t fft = 512, hop = 160;
  at::Tensor window = {};  // (W), W ≤ fft, in the middle of a frame

  at::Tensor forward(const at::Tensor& sound) const;                         // (N, S) → complex (N, fft/2 + 1, T)
  at::Tensor backward(const at::Tensor& waves, std::int64_t samples) const;  // the nearest sound (N, S)
};

struct PhaseSearch {
  std::int64_t iterations = 60;
  double momentum = 0.99;
};

// magnitude (N, fft/2 + 1, T), phase in radians alike, to start from → (N, S) in their type. ConfigError where frames
// overlap by less than half a window: samples would be left out.
at::Tensor griffin_lim(const at::Tensor& magnitude, const at::Tensor& phase, const Stft& stft, std::int64_t samples,
                       const PhaseSearch& search = {});

// x ≥ 0 that makes ‖A x − b‖ least, A (M, K), b (N, M, T) → (N, K, T): from what the pseudo-inverse says by accelerated
// projected gradients (Beck and Teboulle, SIAM Journal on Imaging Sciences 2, 2009, section 4).
at::Tensor nonnegative_solution(const at::Tensor& matrix, const at::Tensor& wanted, std::int64_t iterations = 200);

}  // namespace vaetl::transforms
