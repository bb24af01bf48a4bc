#include "vaetl/io/line_reader.hpp"

#include "vaetl/core/error.hpp"

namespace vaetl {

namespace {
constexpr std::size_t line_block = std::size_t{1} << 18;
}

LineReader::LineReader(const std::filesystem::path& path, std::size_t max_line)
    : reader_(path), name_(path.string()), max_line_(max_line) {}

bool LineReader::refill() {
  buffer_.resize(line_block);
  buffer_.resize(reader_.read(buffer_.data(), line_block));
  if (number_ == 0 && at_ == 0 && buffer_.starts_with("\xef\xbb\xbf")) buffer_.erase(0, 3);
  at_ = 0;
  return !buffer_.empty();
}

bool LineReader::next(std::string& line) {
  line.clear();
  if (at_ == buffer_.size() && !refill()) return false;
  ++number_;
  for (;;) {
    const std::size_t end = buffer_.find('\n', at_);
    line.append(buffer_, at_, end == std::string::npos ? end : end - at_);
    at_ = end == std::string::npos ? buffer_.size() : end + 1;
    if (line.size() > max_line_) {
      throw DataError(
          {fmt::format("{}:{}", name_, number_), fmt::format("a line of at most {} bytes", max_line_), "more", {}});
    }
    if (end != std::string::npos || !refill()) break;
  }
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

}  // namespace vaetl
