// The way back from pictures of sound: phases against librosa's, energies against SciPy's
// (tests/parity/griffin_lim.py), and how near what is heard comes to what was seen.
#include "vaetl/data/transforms/griffin_lim.hpp"

#include <ATen/ATen.h>

#include "support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/data/transforms/log_mel.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::griffin_lim_test {
namespace {

using testing::expect_error;
using transforms::LogMel;

at::Tensor reference(const std::string& name) {
  static const TensorFile file = read_safetensors("tests/parity/griffin_lim.safetensors");
  return file.tensors.at(name);
}

transforms::Stft small_stft() { return {64, 16, at::hann_window(48, at::kDouble)}; }

TEST(GriffinLim, AgreesWithLibrosa) {
  const at::Tensor magnitude = reference("magnitude"), start = at::zeros_like(magnitude);
  for (const auto& [name, momentum] : {std::pair{"sound_0", 0.0}, std::pair{"sound_0.99", 0.99}}) {
    const at::Tensor sound = griffin_lim(magnitude, start, small_stft(), 500, {.iterations = 12, .momentum = momentum});
    // 12 rounds of transforms in float64; where a magnitude is all but 0, so is the phase's say.
    EXPECT_LT((sound - reference(name)).abs().max().item<double>(), 1e-9) << name;
  }
}

TEST(GriffinLim, MoreRoundsComeNearer) {
  const at::Tensor magnitude = reference("magnitude"), start = at::zeros_like(magnitude);
  double before = 1e9;
  for (const std::int64_t rounds : {0, 5, 50}) {
    const at::Tensor sound = griffin_lim(magnitude, start, small_stft(), 500, {.iterations = rounds, .momentum = 0});
    const double distance = (small_stft().forward(sound).abs() - magnitude).norm().item<double>();
    EXPECT_LT(distance, 0.9 * before) << rounds;
    before = distance;
  }
}

TEST(GriffinLim, WindowsMustOverlap) {
  transforms::Stft sparse = small_stft();
  sparse.hop = 25;
  const at::Tensor magnitude = at::ones({1, 33, 21}, at::kDouble);
  expect_error<ConfigError>([&] { griffin_lim(magnitude, magnitude, sparse, 500); },
                            {"at most half the window of 48, found 25"});
}

// Of many solutions as near, SciPy's may be another; how near is one number, which ours comes up to step by step.
TEST(NonnegativeSolution, IsAsNearAsSciPys) {
  const at::Tensor filters = reference("filters"), energy = reference("energy");
  const at::Tensor found = transforms::nonnegative_solution(filters, energy.unsqueeze(0)).squeeze(0);
  EXPECT_GE(found.min().item<double>(), 0);
  auto distance = [&](const at::Tensor& filtered) {
    return ((filtered - energy).norm() / energy.norm()).item<double>();
  };
  const double wanted = distance(reference("filtered"));
  EXPECT_GT(wanted, 0.01);  // not all can be reached
  EXPECT_NEAR(distance(at::matmul(filters, found)), wanted, 1e-4);
}

LogMel::Options speech() {
  return {.rate = 8000, .fft = 256, .window = 256, .hop = 64, .mels = 30, .mean = {-8}, .std = {3}};
}

at::Tensor seen(const LogMel& log_mel, const at::Tensor& sound) {
  Fields fields;
  fields.set("input", sound);
  at::Generator none;
  log_mel.apply(fields, none);
  return fields.input();
}

// Chirps and tones in int16, one of them followed by silence.
at::Tensor chirps() {
  const at::Tensor t = at::arange(4000, at::kDouble) / 8000;
  const at::Tensor rising = (2 * M_PI * (300 + 1500 * t) * t).sin(),
                   tones = (2 * M_PI * 440 * t).sin() + (2 * M_PI * 1320 * t).sin();
  return (at::stack({rising, 0.5 * tones * t.lt(0.3)}) * 12000).round().to(at::kShort);
}

TEST(SoundOfLogMel, IsSeenAgain) {
  for (const char* log : {"ln", "log10"}) {
    LogMel::Options options = speech();
    options.log = log;
    options.floor = 1e-6;
    const LogMel log_mel(options);
    EXPECT_EQ(log_mel.rate(), 8000);
    const at::Tensor before = seen(log_mel, chirps());
    auto phases = make_generator(1);
    const at::Tensor sound = log_mel.sound_of(before, 4000, phases);
    ASSERT_EQ(sound.sizes(), (at::IntArrayRef{2, 4000}));
    const at::Tensor after = seen(log_mel, sound * options.full_scale);
    // In units of all that there is to tell, of which something else in its place would leave 1 or more.
    EXPECT_LT(((after - before).square().mean() / before.var()).item<double>(), 0.1) << log;
    auto again = make_generator(1), other = make_generator(2);
    EXPECT_TRUE(at::equal(log_mel.sound_of(before, 4000, again), sound));
    EXPECT_FALSE(at::equal(log_mel.sound_of(before, 4000, other), sound));
  }
}

TEST(SoundOfLogMel, SizesMustFit) {
  const LogMel log_mel(speech());
  auto phases = make_generator(1);
  const at::Tensor picture = at::zeros({1, 1, 30, 11});
  EXPECT_EQ(log_mel.sound_of(picture, 0, phases).sizes(), (at::IntArrayRef{1, 640}));
  EXPECT_EQ(log_mel.sound_of(picture, 700, phases).sizes(), (at::IntArrayRef{1, 700}));
  EXPECT_TRUE(log_mel.sound_of(picture + 1e4, 0, phases).isfinite().all().item<bool>());
  expect_error<DataError>([&] { log_mel.sound_of(picture, 900, phases); }, {"15 frames, of 900 samples, found 11"});
  expect_error<DataError>(
      [&] {
        log_mel.sound_of(at::zeros({1, 1, 29, 11}), 0, phases);
      },
      {"pictures (N, 1, 30, T)", "(1, 1, 29, 11)"});
  expect_error<ConfigError>(
      [&] {
        LogMel({.mean = {0}, .std = {1}}).sound_of(at::zeros({1, 1, 40, 3}), 0, phases);
      },
      {"log_mel.rate"});
  LogMel::Options unfitted = speech();
  unfitted.mean = unfitted.std = {};
  expect_error<ConfigError>([&] { LogMel(unfitted).sound_of(picture, 0, phases); }, {"mean and std, found neither"});
}

}  // namespace
}  // namespace vaetl::griffin_lim_test
