#include "vaetl/io/npy.hpp"

#include <ATen/ATen.h>
#include <sys/mman.h>

#include <cerrno>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/archive.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/gzip.hpp"
#include "vaetl/io/mapping.hpp"
#include "vaetl/io/npy_format.hpp"

namespace vaetl {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mapped_from = std::uint64_t{64} << 20;  // bytes; below, a copy is as cheap as the pages

std::string because(const npy::Header& header) {
  return fmt::format("its header says {} {}", shape_text(header.shape), c10::toString(header.dtype));
}

at::Tensor widened(const at::Tensor& values) {
  return values.scalar_type() == at::kUInt32 ? values.to(at::kLong) : values;
}

// The values of a file as the array that the header describes.
at::Tensor assemble(at::Tensor bytes, const npy::Header& header) {
  const auto width = static_cast<std::int64_t>(c10::elementSize(header.dtype));
  if (header.swapped) bytes = bytes.view({-1, width}).flip(1).flatten();
  // A bool that is neither 0 nor 1 is undefined behaviour in every kernel that reads it.
  const at::Tensor values = header.dtype == at::kBool ? bytes.ne(0) : widened(bytes.view(header.dtype));
  if (!header.fortran) return values.view(header.shape);
  const std::vector<std::int64_t> reversed(header.shape.rbegin(), header.shape.rend());
  std::vector<std::int64_t> axes(header.shape.size());
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(axes.size() - 1 - i);
  return values.view(reversed).permute(axes).contiguous();
}

bool can_map(const npy::Header& header, std::uint64_t offset) {
  const bool plain = !header.swapped && !header.fortran && header.dtype != at::kBool;
  return plain && header.dtype != at::kUInt32 && header.bytes >= mapped_from &&
         offset % c10::elementSize(header.dtype) == 0;
}

// A private map of the whole file, whose size must be exactly that of header and values.
at::Tensor map_values(const fs::path& path, const npy::Header& header, std::uint64_t offset) {
  Descriptor file;
  std::uint64_t size = 0;
  if (auto problem = open_regular(path, file, size)) throw DataError(*std::move(problem));
  if (size != offset + header.bytes) {
    throw DataError({path.string(), fmt::format("{} bytes ({})", offset + header.bytes, because(header)),
                     fmt::format("{}", size), "fetch or copy the file again"});
  }
  void* address = map_privately(file.get(), size);
  if (address == nullptr) {
    throw DataError({path.string(), fmt::format("to map {} bytes", size), errno_text(errno), "free some memory"});
  }
  return at::from_blob(
      static_cast<char*>(address) + offset, header.shape, [address, size](void*) { ::munmap(address, size); },
      at::TensorOptions().dtype(header.dtype));
}

constexpr std::string_view ending = ".npy";
constexpr ArchiveLimits limits = {
    .members = 100000, .member_bytes = std::uint64_t{1} << 32, .total_bytes = std::uint64_t{1} << 35};

// The name of an array, or nothing for another member.
std::optional<std::string> array_name(const ArchiveMember& member) {
  if (member.folder || !member.name.ends_with(ending)) return std::nullopt;
  return member.name.substr(0, member.name.size() - ending.size());
}

// An array whose file lies in memory; the tensor keeps it.
at::Tensor parse_npy(std::string file, const std::string& where) {
  const auto bytes = std::make_shared<std::string>(std::move(file));
  std::size_t at = 0;
  const auto header = npy::read_header(
      [&](void* to, std::size_t size) {
        const std::size_t count = bytes->copy(static_cast<char*>(to), size, at);
        at += count;
        return count;
      },
      where);
  if (bytes->size() - at != header.bytes) {
    throw DataError({where, fmt::format("{} bytes of values ({})", header.bytes, because(header)),
                     fmt::format("{}", bytes->size() - at), "fetch or copy the file again"});
  }
  const at::Tensor values = at::from_blob(
      bytes->data() + at, {static_cast<std::int64_t>(header.bytes)}, [bytes](void*) {}, at::TensorOptions(at::kByte));
  const bool aligned = reinterpret_cast<std::uintptr_t>(bytes->data() + at) % c10::elementSize(header.dtype) == 0;
  return assemble(aligned ? values : values.clone(), header);
}

at::Tensor without_bfloat16(const at::Tensor& array) {
  return array.scalar_type() == at::kBFloat16 ? array.to(at::kFloat) : array;
}

}  // namespace

at::Tensor read_npy(const fs::path& file) {
  ByteReader reader(file);
  const auto header =
      npy::read_header([&](void* to, std::size_t size) { return reader.read(to, size); }, file.string());
  if (!reader.compressed() && can_map(header, reader.position())) return map_values(file, header, reader.position());
  return assemble(reader.rest(header.bytes, because(header)), header);
}

std::vector<std::string> npz_names(const fs::path& file) {
  ArchiveReader archive(file, limits);
  std::vector<std::string> names;
  for (ArchiveMember member; archive.next(member);) {
    if (auto name = array_name(member)) names.push_back(*std::move(name));
  }
  return names;
}

std::map<std::string, at::Tensor> read_npz(const fs::path& file, const std::vector<std::string>& names) {
  ArchiveReader archive(file, limits);
  std::map<std::string, at::Tensor> arrays;
  std::vector<std::string> present;
  for (ArchiveMember member; archive.next(member);) {
    const auto name = array_name(member);
    if (!name) continue;
    present.push_back(*name);
    if (std::find(names.begin(), names.end(), *name) == names.end()) continue;
    const std::string where = fmt::format("{}, {}", file.string(), quote(*name));
    if (!member.flaw.empty()) throw DataError({where, "an array", member.flaw, {}});
    std::string bytes;
    if (auto problem = archive.read(bytes)) throw DataError(*std::move(problem));
    arrays.insert_or_assign(*name, parse_npy(std::move(bytes), where));
  }
  for (const auto& name : names) {
    if (arrays.contains(name)) continue;
    throw DataError({file.string(), "an array " + quote(name), "only " + join(present), did_you_mean(name, present)});
  }
  return arrays;
}

void write_npy(const fs::path& file, const at::Tensor& array) {
  const at::Tensor own = without_bfloat16(array.detach()).to(at::kCPU).contiguous();
  AtomicFile to(file);
  to.write(npy::write_header(own.scalar_type(), own.sizes().vec()));
  to.write(own.const_data_ptr(), own.nbytes());
  to.commit();
}

}  // namespace vaetl
