// A safetensors file that is written part by part, for tensors that do not fit into memory: dtypes and shapes are told
// first, values follow in any order of the tensors, each from front to back. The file appears, complete, with
// commit(); without it nothing is left.
//
//   SafetensorsStream file("all.safetensors", {{"x", {.dtype = at::kByte, .shape = {n, 3, 32, 32}}}});
//   while (auto part = next()) file.append("x", *part);
//   file.commit({});
#pragma once
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors_format.hpp"

namespace vaetl {

class SafetensorsStream {
 public:
  // Takes the room on the disk. OutputError where there is none, FileError for what the format cannot hold.
  SafetensorsStream(const std::filesystem::path& path, const std::map<std::string, SafetensorsEntry>& tensors,
                    const std::map<std::string, std::string>& metadata = {});

  void append(const std::string& name, const at::Tensor& values);
  // With other metadata than at first, of the same length: checksums, which are known only now.
  void commit(const std::map<std::string, std::string>& metadata);

 private:
  struct Place {
    at::ScalarType dtype = at::kFloat;
    std::uint64_t next = 0, end = 0;  // offsets into the file
  };

  std::string where_;
  AtomicFile file_;
  std::vector<safetensors::Placed> order_;
  std::map<std::string, Place> places_;
  std::uint64_t header_size_ = 0;
};

}  // namespace vaetl
