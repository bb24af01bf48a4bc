#include "vaetl/data/transforms/log_mel.hpp"

#include <ATen/ATen.h>

#include <numbers>

#include "vaetl/core/signature.hpp"
#include "vaetl/data/digest.hpp"
#include "vaetl/data/to_device.hpp"
#include "vaetl/data/transforms/griffin_lim.hpp"
#include "vaetl/data/transforms/moments.hpp"

namespace vaetl::transforms {
namespace {

// Slaney's scale: 3 mel for 200 Hz up to 1 kHz, then 27 for a factor of 6.4.
constexpr double linear_step = 200.0 / 3, corner = 1000;
const double log_step = std::log(6.4) / 27;

double to_mel(double hertz, bool htk) {
  if (htk) return 2595 * std::log10(1 + hertz / 700);
  return hertz < corner ? hertz / linear_step : corner / linear_step + std::log(hertz / corner) / log_step;
}

double to_hertz(double mel, bool htk) {
  if (htk) return 700 * (std::pow(10, mel / 2595) - 1);
  const double from = corner / linear_step;
  return mel < from ? mel * linear_step : corner * std::exp((mel - from) * log_step);
}

// float32 (fft/2 + 1, M)
at::Tensor mel_filters(const LogMel::Options& o) {
  const bool htk = o.filters == "htk";
  const double high = o.high > 0 ? o.high : static_cast<double>(o.rate) / 2;
  const double first = to_mel(o.low, htk), last = to_mel(high, htk);
  auto edge = [&](std::int64_t i) {
    return to_hertz(first + (last - first) * static_cast<double>(i) / static_cast<double>(o.mels + 1), htk);
  };
  at::Tensor filters = at::zeros({o.fft / 2 + 1, o.mels}, at::kFloat);
  auto weights = filters.accessor<float, 2>();
  for (std::int64_t m = 0; m < o.mels; ++m) {
    const double left = edge(m), middle = edge(m + 1), right = edge(m + 2);
    const double height = htk ? 1 : 2 / (right - left);
    bool any = false;
    for (std::int64_t k = 0; k < filters.size(0); ++k) {
      const double hertz = static_cast<double>(k * o.rate) / static_cast<double>(o.fft);
      const double weight = std::min((hertz - left) / (middle - left), (right - hertz) / (right - middle));
      if (weight <= 0) continue;
      weights[k][m] = static_cast<float>(height * weight);
      any = true;
    }
    if (any) continue;
    throw ConfigError({"log_mel.mels",
                       fmt::format("filters that are wider than a bin of {:.6g} Hz",
                                   static_cast<double>(o.rate) / static_cast<double>(o.fft)),
                       fmt::format("filter {} from {:.6g} to {:.6g} Hz", m, left, right),
                       "use fewer mels or a longer fft"});
  }
  return filters;
}

std::int64_t rate_of(const Dataset& train) {
  const Json& reader = train.info().reader;
  const std::int64_t rate = reader.is_object() ? reader.value("rate", std::int64_t{0}) : 0;
  if (rate > 0) return rate;
  throw ConfigError({"log_mel.rate", "the samples a second", "0, and the data do not tell", "give the rate"});
}

}  // namespace

void LogMel::Options::validate() const {
  auto refuse = [](const char* key, std::string expected, std::string found) {
    throw ConfigError({fmt::format("log_mel.{}", key), std::move(expected), std::move(found), {}});
  };
  if (window > fft) refuse("window", fmt::format("at most fft, {}", fft), fmt::format("{}", window));
  if (mean.size() != std.size())
    refuse("mean", "as many entries as std has", fmt::format("{} and {}", mean.size(), std.size()));
  const std::size_t entries = standardise == "mel" ? static_cast<std::size_t>(mels) : standardise == "global" ? 1 : 0;
  if (!mean.empty() && mean.size() != entries)
    refuse("mean", fmt::format("{} entries", entries), fmt::format("{}", mean.size()));
  const double top = high > 0 ? high : static_cast<double>(rate) / 2;
  if (rate > 0 && (low >= top || top > static_cast<double>(rate) / 2)) {
    refuse("high", fmt::format("between low, {:g}, and half the rate, {:g}", low, static_cast<double>(rate) / 2),
           fmt::format("{:g}", top));
  }
}

LogMel::LogMel(Options options) : options_(std::move(options)) {
  options_.validate();
  hann_ = at::hann_window(options_.window, at::kFloat);
  if (options_.rate > 0) filters_ = mel_filters(options_);
  mean_ = at::tensor(at::ArrayRef<double>(options_.mean), at::kFloat).unsqueeze(1);
  factor_ = at::tensor(at::ArrayRef<double>(options_.std), at::kDouble).reciprocal().to(at::kFloat).unsqueeze(1);
}

at::Tensor LogMel::spectrogram(const at::Tensor& sound) const {
  if (sound.dim() != 2) throw DataError({"log_mel", "input (N, S)", shape_text(sound.sizes().vec()), {}});
  check_ready();
  const Stft stft{options_.fft, options_.hop, to_device(hann_, sound.device())};
  const at::Tensor waves = stft.forward(sound.to(at::kFloat).mul(1 / options_.full_scale));
  const at::Tensor power = at::view_as_real(waves).square().sum(-1);  // (N, fft/2 + 1, T)
  const at::Tensor energy = at::matmul(to_device(filters_, sound.device()).t(), power).clamp_min_(options_.floor);
  return options_.log == "ln" ? energy.log() : energy.log10();
}

void LogMel::check_ready() const {
  if (!filters_.defined())
    throw ConfigError({"log_mel.rate", "the samples a second", "0", "give it, or fit it as preprocessing"});
}

void LogMel::check_fitted() const {
  if (options_.standardise == "none" || !options_.mean.empty()) return;
  throw ConfigError({"log_mel", "mean and std", "neither", "fit it as preprocessing"});
}

at::Tensor LogMel::energies(const at::Tensor& pictures) const {
  if (pictures.dim() != 4 || pictures.size(1) != 1 || pictures.size(2) != options_.mels) {
    throw DataError({"log_mel",
                     fmt::format("pictures (N, 1, {}, T) of sound", options_.mels),
                     shape_text(pictures.sizes().vec()),
                     {}});
  }
  constexpr double most = 27;  // ln of more energy than full scale has in any filter
  at::Tensor values = pictures.squeeze(1);
  if (options_.standardise != "none") values = values / factor_ + mean_;
  return (options_.log == "ln" ? values : values * std::numbers::ln10).clamp_max(most).exp();
}

at::Tensor LogMel::sound_of(const at::Tensor& pictures, std::int64_t samples, at::Generator& generator) const {
  check_ready();
  check_fitted();
  const at::Tensor energy = energies(pictures.to(at::kCPU, at::kFloat));
  if (samples == 0) samples = std::max<std::int64_t>(1, (energy.size(2) - 1) * options_.hop);
  if (samples < 1 || 1 + samples / options_.hop != energy.size(2)) {
    throw DataError({"log_mel",
                     fmt::format("{} frames, of {} samples", 1 + samples / options_.hop, samples),
                     fmt::format("{}", energy.size(2)),
                     {}});
  }
  const at::Tensor magnitude = nonnegative_solution(filters_.t(), energy).sqrt_();
  const at::Tensor phase = at::rand(magnitude.sizes(), generator, magnitude.options()).mul_(2 * std::numbers::pi);
  return griffin_lim(magnitude, phase, {options_.fft, options_.hop, hann_}, samples);
}

void LogMel::apply(Fields& fields, at::Generator&) const {
  at::Tensor result = spectrogram(fields.input());
  check_fitted();
  if (options_.standardise != "none") {
    result = result.sub(to_device(mean_, result.device())).mul_(to_device(factor_, result.device()));
  }
  if (fields.has("length"))
    fields.set("length", fields["length"].div(options_.hop, "floor").add(1).clamp_max(result.size(2)));
  fields.set("input", result.unsqueeze(1));
}

Json LogMel::fit(const Dataset& train) const {
  Options fitted = options_;
  if (fitted.rate == 0) fitted.rate = rate_of(train);
  if (options_.standardise == "none" || !options_.mean.empty()) return to_json(fitted);
  if (train.size() == 0) throw DataError({"log_mel", "training data to fit", "none", {}});
  const LogMel ready(fitted);
  Moments moments;
  visit_parts(train, [&](const Fields& part, std::int64_t) {
    const at::Tensor image = ready.spectrogram(part.input());  // (N, M, T)
    moments.add(options_.standardise == "mel" ? image.transpose(0, 1).flatten(1) : image.flatten().unsqueeze(0));
  });
  fitted.mean = moments.mean();
  fitted.std = moments.std();
  return to_json(fitted);
}

}  // namespace vaetl::transforms
