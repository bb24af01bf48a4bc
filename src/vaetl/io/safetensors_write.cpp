#include "vaetl/core/error.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/safetensors_format.hpp"

namespace vaetl {
namespace {

namespace st = safetensors;

std::string flaw(const at::Tensor& tensor) {
  if (!tensor.defined()) return "an undefined one";
  if (tensor.layout() != at::kStrided) return "a sparse one";
  if (tensor.device().is_meta()) return "one without data, on the meta device";
  if (st::find_dtype(tensor.scalar_type()) == nullptr) return c10::toString(tensor.scalar_type());
  return {};
}

void check_tensor(const std::string& where, const std::string& name, const at::Tensor& tensor) {
  if (auto found = flaw(tensor); !found.empty()) {
    throw FileError({.where = st::tensor_place(where, name),
                     .expected = "a tensor with data and a dtype out of " + st::dtype_names(),
                     .found = std::move(found)});
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const auto where = path.string();
  std::map<std::string, SafetensorsEntry> entries;
  for (const auto& [name, tensor] : tensors) {
    check_tensor(where, name, tensor);
    entries[name] = {.dtype = tensor.scalar_type(), .shape = tensor.sizes().vec()};
  }
  const auto order = st::lay_out(entries, where);
  const std::string header = st::header_text(order, metadata, where);
  AtomicFile file(path);
  st::write_header(file, header);
  for (const auto& placed : order) {
    const at::Tensor data = tensors.at(placed.name).detach().resolve_neg().cpu().contiguous();
    file.write(data.const_data_ptr(), data.nbytes());
  }
  file.commit();
}

}  // namespace vaetl
