#include "vaetl/data/transforms/griffin_lim.hpp"

#include <ATen/ATen.h>

#include <limits>

#include "vaetl/core/error.hpp"

namespace vaetl::transforms {

at::Tensor Stft::forward(const at::Tensor& sound) const {
  return at::stft(sound, fft, hop, window.size(0), window, /*center=*/true, "constant", /*normalized=*/false,
                  /*onesided=*/true, /*return_complex=*/true);
}

at::Tensor Stft::backward(const at::Tensor& waves, std::int64_t samples) const {
  return at::istft(waves, fft, hop, window.size(0), window, /*center=*/true, /*normalized=*/false, /*onesided=*/true,
                   samples, /*return_complex=*/false);
}

at::Tensor griffin_lim(const at::Tensor& magnitude, const at::Tensor& phase, const Stft& stft, std::int64_t samples,
                       const PhaseSearch& search) {
  if (2 * stft.hop > stft.window.size(0)) {
    throw ConfigError({"sound of a spectrogram",
                       fmt::format("a hop of at most half the window of {}", stft.window.size(0)),
                       std::to_string(stft.hop), "train with a shorter hop or a longer window"});
  }
  constexpr double tiny = std::numeric_limits<float>::min();  // where there is no wave there is no phase
  at::Tensor unit = at::polar(at::ones_like(phase), phase), before;
  for (std::int64_t i = 0; i < search.iterations; ++i) {
    const at::Tensor now = stft.forward(stft.backward(magnitude * unit, samples));
    const at::Tensor next = before.defined() ? now + search.momentum * (now - before) : now;
    unit = next / (next.abs() + tiny);
    before = now;
  }
  return stft.backward(magnitude * unit, samples);
}

at::Tensor nonnegative_solution(const at::Tensor& matrix, const at::Tensor& wanted, std::int64_t iterations) {
  const at::Tensor transposed = matrix.t();
  const double step = 1 / at::linalg_matrix_norm(matrix, 2).square().item<double>();
  at::Tensor x = at::matmul(at::linalg_pinv(matrix), wanted).clamp_min_(0), ahead = x;
  double t = 1;
  for (std::int64_t i = 0; i < iterations; ++i) {
    const at::Tensor slope = at::matmul(transposed, at::matmul(matrix, ahead) - wanted);
    const at::Tensor next = (ahead - step * slope).clamp_min_(0);
    const double after = (1 + std::sqrt(1 + 4 * t * t)) / 2;
    ahead = next + (t - 1) / after * (next - x);
    x = next;
    t = after;
  }
  return x;
}

}  // namespace vaetl::transforms
