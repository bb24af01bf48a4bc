// The file that compressed pictures are kept in. All numbers little endian:
//   8 bytes     vaetl-bb
//   4 bytes     version of the format, 1
//   4 bytes     length of the header
//   header      JSON
//   words       of 4 bytes: the streams, one after another
//   64 bytes    SHA-256 of all that stands before it, in hexadecimal digits
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/core/config.hpp"
#include "vaetl/recipe/bits_back.hpp"

namespace vaetl::recipe {

struct CompressedHeader {
  std::string weights = {};                                  // SHA-256 of the model's file
  std::string torch = {}, processor = {}, fingerprint = {};  // what the numbers depend on besides
  std::vector<std::int64_t> shape = {};                      // of the array that was given
  std::vector<std::string> names = {};                       // of the files; empty: it was an array
  std::string pixels = {};                                   // SHA-256
  std::vector<std::int64_t> words = {};                      // in each stream
  static constexpr auto fields() {
    using H = CompressedHeader;
    return std::tuple{field("weights", &H::weights, "SHA-256 of the model's weights file"),
                      field("torch", &H::torch, "version of LibTorch"),
                      field("processor", &H::processor, "instructions that LibTorch used"),
                      field("fingerprint", &H::fingerprint, "SHA-256 of what the model makes of fixed pictures"),
                      field("shape", &H::shape, "of the pictures together", between(1, 1e12)),
                      field("names", &H::names, "of the files that the pictures were"),
                      field("pixels", &H::pixels, "SHA-256 of the pictures' bytes"),
                      field("words", &H::words, "of 32 bits in each stream", between(2, 1e12))};
  }
};

struct CompressedFile {
  CompressedHeader header = {};
  std::vector<RansWords> streams = {};
  std::string where = {};  // it came from, for messages
};

// UTF-8 without control characters, as the header can hold it and a terminal can show it.
bool is_plain_name(const std::string& name);

std::string packed(const CompressedFile& file);
// DataError, beginning with `where`: no such file, another version, damaged. What the header says may still be a lie of
// whoever wrote it: shape and words fit what is there, names are plain names.
CompressedFile unpacked(std::string_view bytes, const std::string& where);

}  // namespace vaetl::recipe
