// TensorBoard's event files: a folder of them is a run, which TensorBoard draws as one curve a tag. Records of the
// TFRecord form (length and payload, each with a masked CRC-32C), of protobuf messages tensorflow.Event.
//
//   EventFile events("run/events");
//   events.scalar("loss", 100, 0.25);
//   events.flush();
//
// A file is only ever appended to; whoever reads while it grows sees whole records up to the last flush. Numbers are
// written as float32, as TensorBoard reads them. OutputError for a folder or file that cannot be written.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "vaetl/io/descriptor.hpp"

namespace vaetl {

class EventFile {
 public:
  // A new file in `folder`, named after time, host and process. `resumed_at`: > 0 where another file of the folder
  // holds the steps before; what it has from that step on is dropped by TensorBoard, since it is done again.
  explicit EventFile(const std::filesystem::path& folder, std::int64_t resumed_at = 0);
  ~EventFile();  // flushes; what cannot be written then is lost without an error
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  void scalar(const std::string& tag, std::int64_t step, double value);
  void picture(const std::string& tag, std::int64_t step, const at::Tensor& image);     // uint8 (C, H, W), C 1 … 4
  void histogram(const std::string& tag, std::int64_t step, const at::Tensor& values);  // its finite values
  void text(const std::string& tag, std::int64_t step, const std::string& markdown);
  void flush();
  const std::filesystem::path& path() const { return path_; }

 private:
  void add(std::string_view event);
  void add_summary(std::int64_t step, const std::string& value);

  std::filesystem::path path_;
  Descriptor file_;
  std::string pending_;
};

// The Castagnoli checksum (polynomial 0x1EDC6F41, reflected) of RFC 3720, appendix B.4.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace vaetl
