// Reading files that may be compressed with gzip; the first two bytes tell, not the name. Concatenated members are one
// stream, as gzip has it, and zero padding behind the last one is skipped. Damage, a cut stream and a file that is
// longer or shorter than expected are DataErrors that name the file.
//
//   ByteReader reader("train-images-idx3-ubyte.gz");
//   reader.read(header, 16);
//   at::Tensor pixels = reader.rest(count * 28 * 28, "60000 images of 28×28");
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/io/descriptor.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl {

class ByteReader {
 public:
  explicit ByteReader(const std::filesystem::path& path);
  ~ByteReader();
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  // Fills `to`; fewer bytes only at the end of the data.
  std::size_t read(void* to, std::size_t size);
  // Whether all has been read. In a compressed file this checks the checksum and length of the last member.
  bool at_end();
  std::uint64_t position() const { return position_; }  // uncompressed bytes read so far
  bool compressed() const { return inflater_ != nullptr; }

  // The remaining bytes, uint8, when there are exactly `size` of them. Otherwise the error names the expected size of
  // the whole (and `because`: where it comes from) and the size found. A size that the file cannot hold takes no
  // memory, and no more than one byte beyond it is inflated. What is read is added to `digest`, where one is given, on
  // another thread while more is read.
  at::Tensor rest(std::uint64_t size, const std::string& because, Sha256* digest = nullptr);

 private:
  struct Inflater;

  std::size_t pull(void* to, std::size_t size);
  std::size_t pull_fresh(void* to, std::size_t size);
  std::size_t pull_into(char* to, std::size_t size, Sha256& digest);
  std::uint64_t count_up_to(std::uint64_t limit);
  std::uint64_t most_left() const;
  [[noreturn]] void fail() const;
  [[noreturn]] void fail_size(std::uint64_t expected, std::string found, const std::string& because) const;

  std::filesystem::path path_;
  Descriptor file_;
  std::uint64_t file_size_ = 0, position_ = 0;
  std::unique_ptr<Inflater> inflater_;
  std::string flaw_;  // why nothing more can be read
  int peeked_ = -1;
};

// The whole file, inflated where it is compressed. DataError when that is more than `max_bytes`.
std::string read_maybe_gzip(const std::filesystem::path& path, std::size_t max_bytes);

// One gzip member without name and time: equal bytes give equal bytes.
std::string gzip_compress(std::string_view bytes);

}  // namespace vaetl
