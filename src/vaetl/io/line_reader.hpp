// Lines of a text file, one at a time: a file may be larger than memory and compressed with gzip. A line ends with LF
// or CRLF; a UTF-8 byte order mark is skipped.
//
//   LineReader reader("JapaneseVowels_TRAIN.ts");
//   for (std::string line; reader.next(line);) use(reader.number(), line);
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "vaetl/io/gzip.hpp"

namespace vaetl {

class LineReader {
 public:
  explicit LineReader(const std::filesystem::path& path, std::size_t max_line = std::size_t{1} << 26);
  // False at the end. DataError: cannot be read, or a line of more than `max_line` bytes.
  bool next(std::string& line);
  std::int64_t number() const { return number_; }  // of the last line, from 1

 private:
  bool refill();

  ByteReader reader_;
  std::string name_, buffer_;
  std::size_t max_line_, at_ = 0;
  std::int64_t number_ = 0;
};

}  // namespace vaetl
