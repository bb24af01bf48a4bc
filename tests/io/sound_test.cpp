// Sound files: what comes back, what is refused, and resampling against a sine that is known.
#include "vaetl/io/sound.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <sndfile.h>

#include "scratch.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/io/line_reader.hpp"

namespace vaetl::sound_test {
namespace {

using testing::bytes_of;
using testing::expect_error;
using testing::Scratch;

at::Tensor sine(double hertz, std::int64_t rate, std::int64_t size) {
  return at::arange(size, at::kDouble).mul(2 * M_PI * hertz / static_cast<double>(rate)).sin().mul(0.5).to(at::kFloat);
}

// `values` in another form that libsndfile writes.
void write_as(const std::filesystem::path& file, int format, const at::Tensor& values) {
  SF_INFO info = {};
  info.samplerate = 8000;
  info.channels = 1;
  info.format = format;
  SNDFILE* to = sf_open(file.c_str(), SFM_WRITE, &info);
  ASSERT_NE(to, nullptr);
  sf_writef_float(to, values.const_data_ptr<float>(), values.size(0));
  sf_close(to);
}

// Bytes of a number, little endian, at `at`.
std::string with_number(std::string bytes, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

constexpr std::size_t data_size_at = 40;  // of a WAV file with the usual header of 44 bytes

TEST(Sound, WavComesBackExactly) {
  const Scratch scratch;
  const at::Tensor samples = at::arange(-32768, 32768, 37, at::kShort).view({2, -1});
  write_wav(scratch / "a.wav", samples, 22050);
  const Sound sound = read_sound(scratch / "a.wav");
  EXPECT_EQ(sound.rate, 22050);
  EXPECT_TRUE(at::equal(to_int16(sound.samples), samples));
  const std::string bytes = bytes_of(scratch / "a.wav");
  const SoundInfo info = peek_sound(bytes, "a.wav");
  EXPECT_EQ(std::tuple(info.rate, info.channels, info.frames), std::tuple(22050, 2, samples.size(1)));
  EXPECT_EQ(bytes.substr(36, 4), "data");
  EXPECT_TRUE(at::equal(to_int16(at::tensor({1.5f, -2.0f, 0.25f})), at::tensor({32767, -32768, 8192}, at::kShort)));
}

TEST(Sound, FormsOfSamples) {
  const Scratch scratch;
  const at::Tensor values = sine(440, 8000, 800);
  const std::pair<int, double> forms[] = {
      {SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1.0 / 32768},   {SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 1.0 / 128},
      {SF_FORMAT_WAV | SF_FORMAT_PCM_24, 1.0 / 8388608}, {SF_FORMAT_WAV | SF_FORMAT_FLOAT, 0},
      {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 1.0 / 32768},  {SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 1.0 / 8388608}};
  for (const auto& [format, step] : forms) {  // the writer may scale full scale to the largest number: one step at most
    write_as(scratch / "a", format, values);
    EXPECT_LE((read_sound(scratch / "a").samples[0] - values).abs().max().item<double>(), 1.6 * step) << format;
  }
}

TEST(Sound, RefusesWhatLies) {
  const Scratch scratch;
  write_wav(scratch / "a.wav", to_int16(sine(440, 8000, 4000)), 8000);
  const std::string good = bytes_of(scratch / "a.wav");
  auto refused = [&](const std::string& bytes, std::initializer_list<std::string_view> parts) {
    expect_error<DataError>([&] { read_sound(scratch.put("b.wav", bytes)); }, parts);
  };
  refused(good.substr(0, 3000), {"b.wav", "8000 bytes of samples, as its header says", "2956", "copy the file again"});
  refused(with_number(good, data_size_at, 80000), {"80000 bytes of samples", "8000"});
  EXPECT_EQ(decode_sound(with_number(good, data_size_at, 0xffffffff), "pipe").samples.size(1), 4000);
  EXPECT_EQ(decode_sound(with_number(good, data_size_at, 0x7ffff000), "pipe").samples.size(1), 4000);
  refused("", {"a WAV or FLAC file", "an empty file"});
  refused("This is a text, and no sound at all.", {"a WAV or FLAC file"});
  refused(with_number(good, 24, 2), {"at most 600 seconds", "2000 seconds of 1 channels at 2 Hz"});
  expect_error<DataError>([&] { read_sound(scratch / "a.wav", {.max_values = 3999}); }, {"3999 samples"});
  expect_error<DataError>([&] { read_sound(scratch / "none.wav"); }, {"none.wav", "No such file"});
  expect_error<DataError>([&] { read_sound(scratch.folder()); }, {"a regular file", "a folder"});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  write_as(scratch / "nan.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, at::tensor({0.0f, nan}));
  expect_error<DataError>([&] { read_sound(scratch / "nan.wav"); }, {"finite samples"});
}

TEST(Sound, CutAnywhereIsAnError) {
  const Scratch scratch;
  write_as(scratch / "a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, sine(440, 8000, 300));
  write_wav(scratch / "a.wav", to_int16(sine(440, 8000, 60)), 8000);
  for (const char* name : {"a.flac", "a.wav"}) {
    const std::string whole = bytes_of(scratch / name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      expect_error<DataError>([&] { decode_sound(whole.substr(0, size), "cut"); }, {"cut"});
    }
  }
}

// A sine of 1 kHz stays one: amplitude and phase within the filter's stop band of 97 dB, away from the ends.
TEST(Sound, ResamplesASine) {
  for (const std::int64_t rate : {16000, 48000, 11025}) {
    const at::Tensor fast = resample(sine(1000, 44100, 44100).unsqueeze(0), 44100, rate);
    ASSERT_EQ(fast.sizes(), at::IntArrayRef({1, rate}));
    const at::Tensor wanted = sine(1000, rate, rate);
    const std::int64_t margin = rate / 20;
    const at::Tensor difference = (fast[0] - wanted).narrow(0, margin, rate - 2 * margin).abs();
    EXPECT_LT(difference.max().item<double>(), 0.5 * std::pow(10, -97.0 / 20) * 4) << rate;  // four images add up
  }
  const at::Tensor own = at::ones({2, 5});
  EXPECT_TRUE(resample(own, 8000, 8000).is_same(own));
  expect_error<DataError>([&] { resample(own, 10, 16000); }, {"a factor of at most 256", "10 and 16000 Hz"});
}

TEST(Sound, WritesOnlyInt16) {
  const Scratch scratch;
  expect_error<ConfigError>([&] { write_wav(scratch / "a.wav", at::ones({3}), 8000); },
                            {"int16 samples", "float32 (3)"});
  expect_error<OutputError>([&] { write_wav(scratch / "no" / "a.wav", at::ones({3}, at::kShort), 8000); }, {"a.wav"});
}

TEST(LineReader, EndsOfLines) {
  const Scratch scratch;
  LineReader reader(scratch.put("a.txt", "\xef\xbb\xbfone\r\n\ntwo"));
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "", "two"}));
  EXPECT_EQ(reader.number(), 3);
  const std::string longer(600000, 'x');
  LineReader whole(scratch.put("b.txt", longer + "\n" + longer));
  std::string line;
  EXPECT_TRUE(whole.next(line) && line == longer && whole.next(line) && line == longer && !whole.next(line));
  LineReader limited(scratch.put("c.txt", "short\n" + longer), 1000);
  EXPECT_TRUE(limited.next(line));
  expect_error<DataError>([&] { limited.next(line); }, {"c.txt:2", "at most 1000 bytes"});
}

}  // namespace
}  // namespace vaetl::sound_test
