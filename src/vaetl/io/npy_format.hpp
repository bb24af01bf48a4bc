// The header of a .npy file: magic, version, and a Python dictionary literal of three fixed keys. Used inside io only.
#pragma once
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vaetl::npy {

struct Header {
  at::ScalarType dtype = at::kByte;  // as stored; uint32 is widened after reading
  bool swapped = false;              // big endian
  bool fortran = false;
  std::vector<std::int64_t> shape = {};
  std::uint64_t bytes = 0;  // of all values
};

// The text between braces; `where` begins the DataError for anything but {'descr': …, 'fortran_order': …, 'shape': …}
// with known types and a product of dimensions within 63 bits.
Header parse_header(std::string_view text, const std::string& where);

// Magic, version and header from `read` (fewer bytes only at the end of the data).
Header read_header(const std::function<std::size_t(void*, std::size_t)>& read, const std::string& where);

// Magic, version and padded header of a row-major little-endian array.
std::string write_header(at::ScalarType dtype, const std::vector<std::int64_t>& shape);

}  // namespace vaetl::npy
