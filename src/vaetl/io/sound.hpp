// Sound files: WAV and FLAC through libsndfile, resampling through libsamplerate.
//
//   Sound sound = read_sound("yes.wav");                              // float32 (C, S), full scale is 1
//   at::Tensor mono = resample(sound.samples, sound.rate, 16000).mean(0);
//   write_wav("yes-16k.wav", to_int16(mono), 16000);
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace vaetl {

struct Sound {
  at::Tensor samples;     // float32 (C, S), −1 … 1
  std::int64_t rate = 0;  // samples a second
};

struct SoundLimits {
  double max_seconds = 600;
  std::int64_t max_values = std::int64_t{1} << 28;  // samples of all channels together
};

struct SoundInfo {
  std::int64_t rate = 0, channels = 0, frames = 0;
  double seconds() const { return static_cast<double>(frames) / static_cast<double>(rate); }
};

// Of a file in memory, that errors call `where`, without decoding it. DataError as below, but for damage further on.
SoundInfo peek_sound(std::string_view bytes, const std::string& where, const SoundLimits& limits = {});
Sound decode_sound(std::string_view bytes, const std::string& where, const SoundLimits& limits = {});

// DataError: not a WAV or FLAC file, damaged, above the limits (before it is decoded), or shorter than its header says
// (a WAV of unknown length, as a pipe writes it, is read to its end).
Sound read_sound(const std::filesystem::path& file, const SoundLimits& limits = {});

// (C, S) → (C, ⌈S·to/from⌉), band limited (97 dB). DataError where the rates differ by more than a factor of 256.
at::Tensor resample(const at::Tensor& samples, std::int64_t from, std::int64_t to);

// Rounded; what lies beyond full scale is clipped.
at::Tensor to_int16(const at::Tensor& samples);

// PCM of 16 bits, from int16 (S) or (C, S). OutputError where it cannot be written.
void write_wav(const std::filesystem::path& file, const at::Tensor& samples, std::int64_t rate);

}  // namespace vaetl
