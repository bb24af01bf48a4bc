#include "vaetl/io/event_file.hpp"

#include <ATen/ops/histc.h>
#include <ATen/ops/isfinite.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <protozero/pbf_writer.hpp>

#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/output.hpp"
#include "vaetl/io/png.hpp"

namespace vaetl {
namespace {

constexpr std::int64_t histogram_bins = 30;
constexpr std::size_t flush_above = std::size_t{1} << 20;

// Field numbers of tensorflow/core/util/event.proto and framework/{summary,tensor,tensor_shape}.proto.
namespace event {
enum : protozero::pbf_tag_type { wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7 };
}
namespace value {
enum : protozero::pbf_tag_type { tag = 1, simple_value = 2, image = 4, histogram = 5, tensor = 8, metadata = 9 };
}

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ (c & 1 ? 0x82F63B78u : 0u);
    table[i] = c;
  }
  return table;
}();

std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

void append_little_endian(std::string& to, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
}

double event_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof(name) - 1) == 0 && name[0] != 0 ? name : "localhost";
}

// TensorBoard reads the files of a folder by name, so a later one must sort behind: zero-padded, and numbered where one
// process opens several in a second.
std::filesystem::path event_file_path(const std::filesystem::path& folder) {
  static std::atomic<int> opened = 0;
  return folder / fmt::format("events.out.tfevents.{:010}.{}.{}.{}", static_cast<std::int64_t>(event_time()),
                              host_name(), ::getpid(), opened++);
}

std::string start_event(std::int64_t step) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  writer.add_double(event::wall_time, event_time());
  writer.add_int64(event::step, step);
  return bytes;
}

std::string value_of(const std::string& tag) {
  std::string bytes;
  protozero::pbf_writer(bytes).add_string(value::tag, tag);
  return bytes;
}

// min, max, num, sum, sum of squares, and the counts below each limit.
std::string histogram_message(const at::Tensor& finite) {
  const at::Tensor values = finite.to(at::kDouble);
  const bool none = values.numel() == 0;
  const double low = none ? 0 : values.min().item<double>(), high = none ? 0 : values.max().item<double>();
  std::vector<double> limits, counts;
  if (high > low) {
    const at::Tensor found = at::histc(values, histogram_bins, low, high);
    for (std::int64_t i = 0; i < histogram_bins; ++i) {
      limits.push_back(low + (high - low) * static_cast<double>(i + 1) / static_cast<double>(histogram_bins));
      counts.push_back(found[i].item<double>());
    }
    limits.back() = high;
  } else {
    limits = {high};
    counts = {static_cast<double>(values.numel())};
  }
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  writer.add_double(1, low);
  writer.add_double(2, high);
  writer.add_double(3, static_cast<double>(values.numel()));
  writer.add_double(4, none ? 0 : values.sum().item<double>());
  writer.add_double(5, none ? 0 : values.square().sum().item<double>());
  writer.add_packed_double(6, limits.begin(), limits.end());
  writer.add_packed_double(7, counts.begin(), counts.end());
  return bytes;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const unsigned char byte : bytes) crc = crc_table[(crc ^ byte) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

EventFile::EventFile(const std::filesystem::path& folder, std::int64_t resumed_at) : path_(event_file_path(folder)) {
  make_folder(folder);
  file_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666));
  if (!file_) fail_output(path_, "a new event file", errno);
  std::string first;
  protozero::pbf_writer writer(first);
  writer.add_double(event::wall_time, event_time());
  writer.add_string(event::file_version, "brain.Event:2");
  add(first);
  if (resumed_at > 0) {
    std::string session = start_event(resumed_at);
    protozero::pbf_writer event(session);
    protozero::pbf_writer(event, event::session_log).add_enum(1, 1);  // status: START
    add(session);
  }
  flush();
}

EventFile::~EventFile() {
  if (!pending_.empty()) static_cast<void>(write_fully(file_.get(), pending_.data(), pending_.size()));
}

void EventFile::scalar(const std::string& tag, std::int64_t step, double number) {
  std::string bytes = value_of(tag);
  protozero::pbf_writer(bytes).add_float(value::simple_value, static_cast<float>(number));
  add_summary(step, bytes);
}

void EventFile::picture(const std::string& tag, std::int64_t step, const at::Tensor& image) {
  const std::string png = encode_png(image);
  std::string bytes = value_of(tag);
  protozero::pbf_writer writer(bytes);
  {
    protozero::pbf_writer message(writer, value::image);
    message.add_int32(1, static_cast<std::int32_t>(image.size(-2)));
    message.add_int32(2, static_cast<std::int32_t>(image.size(-1)));
    message.add_int32(3, static_cast<std::int32_t>(image.dim() == 3 ? image.size(0) : 1));
    message.add_bytes(4, png);
  }
  add_summary(step, bytes);
}

void EventFile::histogram(const std::string& tag, std::int64_t step, const at::Tensor& values) {
  const at::Tensor all = values.detach().to(at::kCPU).flatten();
  std::string bytes = value_of(tag);
  protozero::pbf_writer(bytes).add_message(value::histogram, histogram_message(all.masked_select(at::isfinite(all))));
  add_summary(step, bytes);
}

void EventFile::text(const std::string& tag, std::int64_t step, const std::string& markdown) {
  std::string bytes = value_of(tag);
  protozero::pbf_writer writer(bytes);
  {
    protozero::pbf_writer tensor(writer, value::tensor);
    tensor.add_enum(1, 7);                                                         // dtype: DT_STRING
    protozero::pbf_writer(tensor, 2).add_message(2, std::string{'\x08', '\x01'});  // tensor_shape: one dim of size 1
    tensor.add_bytes(8, markdown);
  }
  {
    protozero::pbf_writer metadata(writer, value::metadata);
    protozero::pbf_writer(metadata, 1).add_string(1, "text");  // plugin_data.plugin_name
  }
  add_summary(step, bytes);
}

void EventFile::add_summary(std::int64_t step, const std::string& summary_value) {
  std::string bytes = start_event(step);
  protozero::pbf_writer writer(bytes);
  protozero::pbf_writer(writer, event::summary).add_message(1, summary_value);
  add(bytes);
}

void EventFile::add(std::string_view event) {
  std::string length;
  append_little_endian(length, event.size(), 8);
  pending_ += length;
  append_little_endian(pending_, masked_crc(length), 4);
  pending_ += event;
  append_little_endian(pending_, masked_crc(event), 4);
  if (pending_.size() > flush_above) flush();
}

void EventFile::flush() {
  const std::string bytes = std::exchange(pending_, {});
  if (const int error = write_fully(file_.get(), bytes.data(), bytes.size())) {
    fail_output(path_, "a file that can be written", error);
  }
}

}  // namespace vaetl
