// The rules of the safetensors format that reader and writer share.
#pragma once
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "vaetl/io/safetensors.hpp"

namespace vaetl {
class AtomicFile;
}

namespace vaetl::safetensors {

constexpr std::uint64_t max_header_bytes = 100'000'000;
constexpr std::size_t max_tensors = std::size_t{1} << 20;
constexpr std::size_t max_dimensions = 64;  // as many as LibTorch's operators take
constexpr std::string_view metadata_key = "__metadata__";

struct Dtype {
  std::string_view name;
  at::ScalarType type;
  std::uint64_t bytes;
  int rank;  // data of higher rank are written first, as the reference implementation does
};

const Dtype* find_dtype(std::string_view name);
const Dtype* find_dtype(at::ScalarType type);
std::string dtype_names();  // "F64, F32, …"

// A name in quotes for a message; a hostile long one is cut.
std::string in_quotes(std::string_view name);

// "PATH: tensor "NAME"": where an error about one tensor begins.
std::string tensor_place(const std::string& where, std::string_view name);

// Parses and checks the JSON of a header. `where` begins the messages.
SafetensorsHeader parse_header(std::string_view json, std::uint64_t data_size, const std::string& where);

// A tensor's place in a file that is to be written.
struct Placed {
  std::string name;
  SafetensorsEntry entry;
};

// Offsets for tensors of known dtype and shape: larger elements first, so that each tensor is aligned for its dtype,
// then by name. FileError for a dtype or a name that the format cannot hold, or more bytes than 63 bits count.
std::vector<Placed> lay_out(const std::map<std::string, SafetensorsEntry>& tensors, const std::string& where);

// The JSON, filled up with spaces to a multiple of 8 bytes. FileError for text that is not UTF-8, or a header that is
// larger than the format allows.
std::string header_text(const std::vector<Placed>& tensors, const std::map<std::string, std::string>& metadata,
                        const std::string& where);

// The text, its size before it.
void write_header(AtomicFile& file, const std::string& text);

// Checks the first 8 bytes and the header of an open file of `size` bytes.
SafetensorsHeader load_header(int fd, std::uint64_t size, const std::string& where);

}  // namespace vaetl::safetensors
