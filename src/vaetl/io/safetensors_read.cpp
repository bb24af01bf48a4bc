#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "vaetl/core/error.hpp"
#include "vaetl/io/descriptor.hpp"
#include "vaetl/io/mapping.hpp"
#include "vaetl/io/safetensors_format.hpp"

namespace vaetl {
namespace {

namespace st = safetensors;

// An open file and its checked header.
std::pair<Descriptor, SafetensorsHeader> open_file(const std::filesystem::path& path) {
  Descriptor file;
  std::uint64_t size = 0;
  if (auto problem = open_regular(path, file, size)) throw FileError(*std::move(problem));
  auto header = st::load_header(file.get(), size, path.string());
  return {std::move(file), std::move(header)};
}

at::Tensor make_view(const std::shared_ptr<Mapping>& mapping, std::uint64_t offset, const SafetensorsEntry& entry) {
  const auto options = at::TensorOptions().dtype(entry.dtype);
  if (entry.begin == entry.end) return at::empty(entry.shape, options);
  char* data = mapping->data() + offset;
  if (reinterpret_cast<std::uintptr_t>(data) % c10::elementSize(entry.dtype) == 0) {
    return at::from_blob(
        data, entry.shape, [mapping](void*) {}, options);
  }
  auto copy = at::empty(entry.shape, options);
  std::memcpy(copy.data_ptr(), data, entry.end - entry.begin);
  return copy;
}

// A bool that is neither 0 nor 1 is undefined behaviour in every kernel that reads it.
void check_booleans(const Mapping& mapping, std::uint64_t offset, std::uint64_t size, const std::string& place) {
  for (std::uint64_t i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(mapping.data()[offset + i]);
    if (byte <= 1) continue;
    throw FileError({.where = place,
                     .expected = "BOOL bytes of 0 or 1",
                     .found = fmt::format("{} at byte {} of the tensor", static_cast<unsigned>(byte), i)});
  }
}

}  // namespace

SafetensorsHeader read_safetensors_header(const std::filesystem::path& path) { return open_file(path).second; }

void read_ahead(const at::Tensor& part) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(part.const_data_ptr());
  const auto first = begin / page * page;
  ::madvise(reinterpret_cast<void*>(first), begin + part.nbytes() - first, MADV_WILLNEED);  // advice: nothing depends
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  const auto where = path.string();
  auto [file, header] = open_file(path);
  const auto mapping = std::make_shared<Mapping>(file.get(), header.data_start + header.data_size, where);
  TensorFile result{.metadata = std::move(header.metadata)};
  for (const auto& [name, entry] : header.tensors) {
    const std::uint64_t offset = header.data_start + entry.begin;
    if (entry.dtype == at::kBool) {
      check_booleans(*mapping, offset, entry.end - entry.begin, st::tensor_place(where, name));
    }
    result.tensors.emplace(name, make_view(mapping, offset, entry));
  }
  return result;
}

}  // namespace vaetl
