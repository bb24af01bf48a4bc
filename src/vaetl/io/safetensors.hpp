// safetensors, the native weight format: 8 bytes with the size of the header (little-endian), the header (JSON: name →
// dtype, shape, data_offsets; __metadata__: string → string), then the data. Reading checks every rule of the format's
// specification against the real size of the file before any memory for tensors is taken; a breach is a FileError that
// names file, tensor, rule and both numbers. dtypes: F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL.
//
//   write_safetensors("model.safetensors", {{"head.weight", weight}}, {{"format", "pt"}});
//   auto file = read_safetensors("model.safetensors");
//   file.tensors.at("head.weight");
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vaetl {

struct SafetensorsEntry {
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape = {};
  std::uint64_t begin = 0, end = 0;  // offsets into the data
};

struct SafetensorsHeader {
  std::map<std::string, SafetensorsEntry> tensors = {};
  std::map<std::string, std::string> metadata = {};
  std::uint64_t data_start = 0, data_size = 0;  // of the data within the file, in bytes
};

struct TensorFile {
  std::map<std::string, at::Tensor> tensors = {};
  std::map<std::string, std::string> metadata = {};
};

// Names, dtypes, shapes and metadata alone.
SafetensorsHeader read_safetensors_header(const std::filesystem::path& path);

// CPU tensors over a private memory map, which lives as long as any of them: pages are read when they are touched, and
// writing to a tensor never reaches the file. Data at an address that its dtype does not allow are copied. The file may
// be replaced while it is mapped (as write_safetensors does), but must not be shortened in place.
TensorFile read_safetensors(const std::filesystem::path& path);

// Has the system read the pages of a contiguous part of a mapped tensor while the program goes on.
void read_ahead(const at::Tensor& part);

// Replaces the file atomically. Tensors of any device and layout in memory (views, transposed, shared) are written as
// contiguous data. Equal contents give equal bytes, in the order of the reference implementation: by dtype, then name.
// FileError for what the format cannot hold: another dtype, a sparse, meta or undefined tensor, an empty or reserved
// name, text that is not UTF-8. OutputError where the file cannot be written.
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace vaetl
