#include "vaetl/io/gzip.hpp"

#include <ATen/ops/empty.h>
#include <isa-l/igzip_lib.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <future>

#include "vaetl/core/error.hpp"

namespace vaetl {
namespace {

constexpr int gzip_window = 15 + 16;  // zlib's largest window, with gzip's header and trailer
constexpr const char* too_short = "the end of the file within the compressed data";
constexpr std::uint64_t largest_ratio = 1032;  // deflate cannot expand by more
constexpr std::size_t gzip_block = std::size_t{1} << 16, hashed_block = std::size_t{1} << 21;

std::uint32_t clamp_size(std::size_t size) { return static_cast<std::uint32_t>(std::min(size, std::size_t{1} << 30)); }

std::string what_is_wrong(int status) {
  switch (status) {
    case ISAL_INVALID_BLOCK:
      return "invalid block";
    case ISAL_INVALID_SYMBOL:
      return "invalid symbol";
    case ISAL_INVALID_LOOKBACK:
      return "invalid distance";
    case ISAL_INVALID_WRAPPER:
      return "invalid header";
    case ISAL_UNSUPPORTED_METHOD:
      return "unknown compression method";
    case ISAL_INCORRECT_CHECKSUM:
      return "wrong checksum or length";
    default:
      return fmt::format("igzip's error {}", status);
  }
}

}  // namespace

struct ByteReader::Inflater {
  explicit Inflater(int fd) : fd_(fd), buffer_(gzip_block) {
    isal_inflate_init(&stream_);
    stream_.crc_flag = ISAL_GZIP_NO_HDR_VER;  // headers are read beforehand, trailers by isal_inflate
  }

  // Inflates into `to` until it is full, the data end (`ended_`), or `flaw` says why not.
  std::size_t inflate_into(void* to, std::size_t size, std::string& flaw) {
    std::size_t done = 0;
    while (done < size && !ended_ && flaw.empty()) {
      const bool fed = stream_.avail_in > 0 || refill(flaw);  // where not, it may still hold some that it inflated
      if (in_header_) {
        read_header(fed, flaw);
        continue;
      }
      const std::uint32_t room = clamp_size(size - done);
      stream_.next_out = static_cast<std::uint8_t*>(to) + done;
      stream_.avail_out = room;
      const int status = isal_inflate(&stream_);
      const std::uint32_t inflated = room - stream_.avail_out;
      done += inflated;
      if (status != ISAL_DECOMP_OK) {
        flaw = fmt::format("damaged compressed data ({})", what_is_wrong(status));
      } else if (stream_.block_state == ISAL_BLOCK_FINISH) {
        next_member(flaw);
      } else if (!fed && inflated == 0 && flaw.empty()) {
        flaw = too_short;
      }
    }
    return done;
  }

 private:
  // What of a header has come, into a record that is kept until the rest does: isal_inflate forgets it.
  void read_header(bool fed, std::string& flaw) {
    const int status = isal_read_gzip_header(&stream_, &header_);
    in_header_ = status != ISAL_DECOMP_OK;
    if (status == ISAL_END_INPUT) {
      if (!fed && flaw.empty()) flaw = too_short;
    } else if (status != ISAL_DECOMP_OK) {
      flaw = fmt::format("damaged compressed data ({})", what_is_wrong(status));
    }
  }

  bool refill(std::string& flaw) {
    const std::int64_t count = read_fully(fd_, buffer_.data(), buffer_.size());
    if (count < 0) flaw = "\"" + errno_text(errno) + "\"";
    stream_.next_in = buffer_.data();
    stream_.avail_in = static_cast<std::uint32_t>(std::max<std::int64_t>(count, 0));
    return count > 0;
  }

  void next_member(std::string& flaw) {
    do {
      while (stream_.avail_in > 0 && *stream_.next_in == 0) {
        ++stream_.next_in;
        --stream_.avail_in;
      }
    } while (stream_.avail_in == 0 && refill(flaw));
    ended_ = stream_.avail_in == 0;
    if (ended_) return;
    if (*stream_.next_in != 0x1f) flaw = "other bytes behind the compressed data";
    isal_inflate_reset(&stream_);
    header_ = {};
    in_header_ = true;
  }

  int fd_;
  inflate_state stream_ = {};
  isal_gzip_header header_ = {};
  bool in_header_ = true;
  std::vector<std::uint8_t> buffer_;
  bool ended_ = false;
};

ByteReader::ByteReader(const std::filesystem::path& path) : path_(path) {
  if (auto problem = open_regular(path, file_, file_size_)) throw DataError(*std::move(problem));
  unsigned char magic[2] = {};
  if (::pread(file_.get(), magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b) {
    inflater_ = std::make_unique<Inflater>(file_.get());
  }
}

ByteReader::~ByteReader() = default;

std::size_t ByteReader::pull(void* to, std::size_t size) {
  if (size == 0 || !flaw_.empty()) return 0;
  std::size_t done = 0;
  if (peeked_ >= 0) {
    *static_cast<unsigned char*>(to) = static_cast<unsigned char>(std::exchange(peeked_, -1));
    done = 1;
  }
  done += pull_fresh(static_cast<char*>(to) + done, size - done);
  position_ += done;
  return done;
}

std::size_t ByteReader::pull_fresh(void* to, std::size_t size) {
  if (inflater_) return inflater_->inflate_into(to, size, flaw_);
  const std::int64_t count = read_fully(file_.get(), to, size);
  if (count < 0) flaw_ = "\"" + errno_text(errno) + "\"";
  return static_cast<std::size_t>(std::max<std::int64_t>(count, 0));
}

void ByteReader::fail() const {
  throw DataError({.where = path_.string(),
                   .expected = compressed() ? "an intact gzip file" : "a readable file",
                   .found = fmt::format("{} after {} bytes of data", flaw_, position_),
                   .remedy = "fetch or copy the file again"});
}

std::size_t ByteReader::read(void* to, std::size_t size) {
  const std::size_t count = pull(to, size);
  if (!flaw_.empty()) fail();
  return count;
}

bool ByteReader::at_end() {
  unsigned char byte = 0;
  if (peeked_ < 0 && pull_fresh(&byte, 1) == 1) peeked_ = byte;
  if (!flaw_.empty()) fail();
  return peeked_ < 0;
}

std::uint64_t ByteReader::most_left() const {
  if (!compressed()) return file_size_ - std::min(position_, file_size_);
  return (file_size_ + 1) * largest_ratio;
}

void ByteReader::fail_size(std::uint64_t expected, std::string found, const std::string& because) const {
  throw DataError({.where = path_.string(),
                   .expected = fmt::format("{} bytes ({})", expected, because),
                   .found = std::move(found),
                   .remedy = "fetch or copy the file again"});
}

std::uint64_t ByteReader::count_up_to(std::uint64_t limit) {
  std::vector<char> scratch(gzip_block);
  std::uint64_t done = 0;
  while (done < limit) {
    const std::size_t count = pull(scratch.data(), std::min<std::uint64_t>(limit - done, gzip_block));
    if (count == 0) break;
    done += count;
  }
  return done;
}

std::size_t ByteReader::pull_into(char* to, std::size_t size, Sha256& digest) {
  std::size_t done = 0, count = 1;
  std::future<void> adding;
  for (; done < size && count > 0; done += count) {
    count = pull(to + done, std::min(size - done, hashed_block));
    if (adding.valid()) adding.get();
    adding = std::async(std::launch::async, [&digest, part = to + done, count] { digest.update(part, count); });
  }
  if (adding.valid()) adding.get();
  return done;
}

at::Tensor ByteReader::rest(std::uint64_t size, const std::string& because, Sha256* digest) {
  const std::uint64_t start = position_, total = start + size;
  auto short_of = [&](std::uint64_t found) {
    fail_size(total, fmt::format("{}{}{}", start + found, flaw_.empty() ? "" : ", then ", flaw_), because);
  };
  const std::uint64_t most = most_left();
  if (!compressed() && most != size) short_of(most);
  if (size > most) short_of(count_up_to(size));
  auto bytes = at::empty({static_cast<std::int64_t>(size)}, at::kByte);
  auto* to = static_cast<char*>(bytes.data_ptr());
  const std::size_t count = digest != nullptr ? pull_into(to, size, *digest) : pull(to, size);
  if (count < size) short_of(count);
  if (!at_end()) fail_size(total, fmt::format("at least {}", total + 1), because);
  return bytes;
}

std::string read_maybe_gzip(const std::filesystem::path& path, std::size_t max_bytes) {
  ByteReader reader(path);
  std::string bytes;
  while (!reader.at_end()) {
    if (bytes.size() == max_bytes) {
      throw DataError(
          {.where = path.string(), .expected = fmt::format("at most {} bytes of data", max_bytes), .found = "more"});
    }
    const std::size_t start = bytes.size(), step = std::min(max_bytes - start, std::max(gzip_block, start));
    bytes.resize(start + step);
    bytes.resize(start + reader.read(bytes.data() + start, step));
  }
  return bytes;
}

std::string gzip_compress(std::string_view bytes) {
  z_stream stream = {};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  const std::unique_ptr<z_stream, decltype(&deflateEnd)> guard(&stream, &deflateEnd);
  std::string result;
  std::vector<Bytef> buffer(gzip_block);
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    if (stream.avail_in == 0 && !bytes.empty()) {
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
      stream.avail_in = clamp_size(bytes.size());
      bytes.remove_prefix(stream.avail_in);
    }
    stream.next_out = buffer.data();
    stream.avail_out = static_cast<uInt>(gzip_block);
    status = ::deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    result.append(reinterpret_cast<const char*>(buffer.data()), gzip_block - stream.avail_out);
  }
  return result;
}

}  // namespace vaetl
