#include "vaetl/io/sound.hpp"

#include <ATen/ATen.h>
#include <samplerate.h>
#include <sndfile.h>

#include <cstdio>
#include <cstring>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"

namespace vaetl {
namespace {

namespace fs = std::filesystem;

using SoundHandle = std::unique_ptr<SNDFILE, decltype(&sf_close)>;
constexpr float full_scale = 32768;
constexpr std::size_t largest_file = std::size_t{1} << 28;

bool is_known(int format) {
  const int container = format & SF_FORMAT_TYPEMASK;
  return container == SF_FORMAT_WAV || container == SF_FORMAT_WAVEX || container == SF_FORMAT_RF64 ||
         container == SF_FORMAT_FLAC;
}

void check_limits(const std::string& where, const SF_INFO& info, const SoundLimits& limits) {
  if (!is_known(info.format)) throw DataError({where, "a WAV or FLAC file", "sound of another format", {}});
  if (info.frames <= 0) throw DataError({where, "samples", "none", {}});
  const double seconds = static_cast<double>(info.frames) / info.samplerate;
  if (seconds > limits.max_seconds || info.frames > limits.max_values / info.channels) {
    throw DataError({where, fmt::format("at most {:g} seconds and {} samples", limits.max_seconds, limits.max_values),
                     fmt::format("{:.6g} seconds of {} channels at {} Hz", seconds, info.channels, info.samplerate),
                     "cut it into parts"});
  }
}

// The library reads what there is and notes in its log "data : 32604 (should be 16280)". The sizes that writers to a
// pipe put there, 2³¹ or 2³² less a few, claim nothing.
void check_claim(const std::string& where, SNDFILE* file) {
  constexpr unsigned long long unknown = 0x7fff0000;
  std::array<char, 4096> log = {};
  sf_command(file, SFC_GET_LOG_INFO, log.data(), static_cast<int>(log.size()) - 1);
  const char* line = std::strstr(log.data(), "\ndata : ");
  unsigned long long claimed = 0, found = 0;
  if (line == nullptr || std::sscanf(line, " data : %llu (should be %llu)", &claimed, &found) != 2) return;
  if (claimed <= found || claimed >= unknown) return;
  throw DataError({where, fmt::format("{} bytes of samples, as its header says", claimed), fmt::format("{}", found),
                   "fetch or copy the file again"});
}

// Interleaved frames, read block by block: a header that lies takes no memory.
std::vector<float> read_frames(const std::string& where, SNDFILE* file, const SF_INFO& info) {
  constexpr sf_count_t block = 1 << 16;
  const auto channels = static_cast<std::size_t>(info.channels);
  std::vector<float> values;
  sf_count_t frames = 0;
  while (frames < info.frames) {
    const sf_count_t wanted = std::min(block, info.frames - frames);
    values.resize(static_cast<std::size_t>(frames + wanted) * channels);
    const sf_count_t count = sf_readf_float(file, values.data() + static_cast<std::size_t>(frames) * channels, wanted);
    if (count <= 0) break;
    frames += count;
  }
  if (frames == info.frames) return values;
  throw DataError({where, fmt::format("{} samples, as its header says", info.frames), fmt::format("{}", frames),
                   "fetch or copy the file again"});
}

void check_finite(const std::string& where, const at::Tensor& samples) {
  if (samples.isfinite().all().item<bool>()) return;
  throw DataError({where, "finite samples", "NaN or infinity", {}});
}

// A file in memory, as libsndfile reads one (`input`) or writes one (`output`).
struct Memory {
  std::string_view input = {};
  std::string output = {};
  sf_count_t at = 0;

  static Memory& of(void* self) { return *static_cast<Memory*>(self); }
  static sf_count_t size(void* self) {
    return static_cast<sf_count_t>(std::max(of(self).input.size(), of(self).output.size()));
  }
  static sf_count_t tell(void* self) { return of(self).at; }
  static sf_count_t seek(sf_count_t offset, int whence, void* self) {
    const sf_count_t to = offset + (whence == SEEK_SET ? 0 : whence == SEEK_CUR ? of(self).at : size(self));
    if (to < 0) return -1;
    return of(self).at = to;
  }
  static sf_count_t read(void* to, sf_count_t count, void* self) {
    Memory& me = of(self);
    const auto begin = std::min(static_cast<std::size_t>(me.at), me.input.size());
    const std::size_t copied = me.input.copy(static_cast<char*>(to), static_cast<std::size_t>(count), begin);
    me.at += static_cast<sf_count_t>(copied);
    return static_cast<sf_count_t>(copied);
  }
  static sf_count_t write(const void* from, sf_count_t count, void* self) {
    Memory& me = of(self);
    const auto begin = static_cast<std::size_t>(me.at), end = begin + static_cast<std::size_t>(count);
    if (end > me.output.size()) me.output.resize(end);
    std::memcpy(me.output.data() + begin, from, static_cast<std::size_t>(count));
    me.at += count;
    return count;
  }
};

SF_VIRTUAL_IO memory_io() { return {&Memory::size, &Memory::seek, &Memory::read, &Memory::write, &Memory::tell}; }

// Opened and checked; the memory must live as long.
SoundHandle open_checked(Memory& memory, SF_INFO& info, const std::string& where, const SoundLimits& limits) {
  if (memory.input.empty()) throw DataError({where, "a WAV or FLAC file", "an empty file", {}});
  SF_VIRTUAL_IO io = memory_io();
  SoundHandle file(sf_open_virtual(&io, SFM_READ, &info, &memory), &sf_close);
  if (!file) throw DataError({where, "a WAV or FLAC file", quote(sf_strerror(nullptr), 120), {}});
  check_limits(where, info, limits);
  check_claim(where, file.get());
  return file;
}

}  // namespace

SoundInfo peek_sound(std::string_view bytes, const std::string& where, const SoundLimits& limits) {
  Memory memory{.input = bytes};
  SF_INFO info = {};
  open_checked(memory, info, where, limits);
  return {info.samplerate, info.channels, info.frames};
}

Sound decode_sound(std::string_view bytes, const std::string& where, const SoundLimits& limits) {
  Memory memory{.input = bytes};
  SF_INFO info = {};
  const SoundHandle file = open_checked(memory, info, where, limits);
  const std::vector<float> values = read_frames(where, file.get(), info);
  const at::Tensor interleaved = at::tensor(at::ArrayRef<float>(values), at::kFloat).view({-1, info.channels});
  check_finite(where, interleaved);
  return {interleaved.t().contiguous(), info.samplerate};
}

Sound read_sound(const fs::path& path, const SoundLimits& limits) {
  std::string bytes;
  if (auto problem = slurp(path, largest_file, bytes)) throw DataError(*std::move(problem));
  return decode_sound(bytes, path.string(), limits);
}

at::Tensor resample(const at::Tensor& samples, std::int64_t from, std::int64_t to) {
  if (from == to) return samples;
  const double ratio = static_cast<double>(to) / static_cast<double>(from);
  if (from < 1 || to < 1 || src_is_valid_ratio(ratio) == 0) {
    throw DataError(
        {"resample", "rates that differ by a factor of at most 256", fmt::format("{} and {} Hz", from, to), {}});
  }
  const at::Tensor input = samples.t().to(at::kFloat).contiguous();
  const std::int64_t frames = (input.size(0) * to + from - 1) / from;
  at::Tensor output = at::zeros({frames, input.size(1)}, at::kFloat);
  SRC_DATA data = {};
  data.data_in = input.const_data_ptr<float>();
  data.data_out = output.mutable_data_ptr<float>();
  data.input_frames = static_cast<long>(input.size(0));
  data.output_frames = static_cast<long>(frames);
  data.src_ratio = ratio;
  const int status = src_simple(&data, SRC_SINC_MEDIUM_QUALITY, static_cast<int>(input.size(1)));
  if (status != 0) throw DataError({"resample", "sound to resample", src_strerror(status), {}});
  return output.t().contiguous();
}

at::Tensor to_int16(const at::Tensor& samples) {
  return samples.mul(full_scale).round_().clamp_(-full_scale, full_scale - 1).to(at::kShort);
}

void write_wav(const fs::path& path, const at::Tensor& samples, std::int64_t rate) {
  const bool fits = samples.scalar_type() == at::kShort && (samples.dim() == 1 || samples.dim() == 2);
  if (!fits || rate < 1 || rate > 1000000) {
    throw ConfigError(
        {path.string(),
         "int16 samples (S) or (C, S) at a rate up to 1000000 Hz",
         fmt::format("{} {} at {} Hz", dtype_name(samples.scalar_type()), shape_text(samples.sizes().vec()), rate),
         {}});
  }
  const at::Tensor frames = (samples.dim() == 1 ? samples.unsqueeze(1) : samples.t()).contiguous();
  SF_INFO info = {};
  info.samplerate = static_cast<int>(rate);
  info.channels = static_cast<int>(frames.size(1));
  info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  SF_VIRTUAL_IO io = memory_io();
  Memory memory;
  SoundHandle file(sf_open_virtual(&io, SFM_WRITE, &info, &memory), &sf_close);
  if (!file)
    throw ConfigError({path.string(), "channels that a WAV file can hold", fmt::format("{}", frames.size(1)), {}});
  sf_writef_short(file.get(), frames.const_data_ptr<std::int16_t>(), frames.size(0));
  file.reset();
  write_atomically(path, memory.output);
}

}  // namespace vaetl
