#include "tests/io/pytorch_reference.hpp"

#include "tests/io/scratch.hpp"
#include "vaetl/io/gzip.hpp"
#include "vaetl/io/safetensors.hpp"

namespace vaetl::testing {
namespace {

const std::map<std::string, at::Tensor>& torch_reference() {
  static const TensorFile file = read_safetensors("tests/parity/pytorch_files.safetensors");
  return file.tensors;
}

constexpr std::string_view file_mark = "file.";

}  // namespace

std::vector<std::string> torch_file_names() {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : torch_reference()) {
    if (name.starts_with(file_mark)) names.push_back(name.substr(file_mark.size()));
  }
  return names;
}

std::string torch_file(const std::string& name) {
  const at::Tensor packed = torch_reference().at(std::string(file_mark) + name);
  const Scratch scratch;
  const auto path = scratch.put("packed.gz", {static_cast<const char*>(packed.const_data_ptr()), packed.nbytes()});
  return read_maybe_gzip(path, 1 << 20);
}

std::map<std::string, at::Tensor> torch_tensors(const std::string& name) {
  const auto dot = name.find('.') + 1;
  const std::string begin = name.substr(dot, name.find('.', dot) - dot) + "/";
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [key, tensor] : torch_reference()) {
    if (key.starts_with(begin)) tensors.emplace(key.substr(begin.size()), tensor);
  }
  return tensors;
}

}  // namespace vaetl::testing
