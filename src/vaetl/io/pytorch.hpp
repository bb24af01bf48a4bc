// Checkpoints that PyTorch's torch.save wrote: .pt, .pth, .bin, .ckpt, …, in the zip format (PyTorch 1.6 and later) and
// in the older stream. The bytes tell the format, not the name. They are data: a closed subset of pickle builds
// tensors, dicts, lists, numbers and strings, nothing in the file is run, and what it wants to build besides (a whole
// module, say) is refused by name. Tensors saved on a GPU come to the CPU; views and shared storages are read as they
// were saved.
//
//   auto file = read_pytorch("resnet20.th", {.key = "state_dict", .strip_prefix = "module."});
//   file.tensors.at("conv1.weight");
//   file.values.at("best_prec1");  // 91.78
#pragma once
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "vaetl/core/config.hpp"

namespace vaetl {

struct PytorchOptions {
  std::string key = {};           // dotted path of the dict that is wanted, "." for the whole file
  std::string strip_prefix = {};  // "module."
  static constexpr auto fields() {
    using P = PytorchOptions;
    return std::tuple{field("key", &P::key, "dotted path of the dict of tensors in a PyTorch file; .: the whole file"),
                      field("strip_prefix", &P::strip_prefix, "taken off the names that begin with it, as module.")};
  }
};

struct PytorchFile {
  // The tensors of the chosen dict, contiguous; those of dicts in it have dotted names. Tensors that shared memory
  // still do, and writing to them never reaches the file.
  std::map<std::string, at::Tensor> tensors = {};
  std::vector<std::string> order = {};  // of the tensors in the file: of a state_dict that of the model
  // Everything else that is plain data: dotted path from the top → number, string, bytes, boolean or null.
  std::map<std::string, Json> values = {};
  std::string key = {};  // of the chosen dict; empty: the top
};

// Whether it begins as a file of torch.save (or another zip archive, or pickle) does; false where it cannot be read.
bool is_pytorch(const std::filesystem::path& path);

// Without `key`: the dict `state_dict`, `model_state_dict` or `model` at the top if there is one of them, else the one
// dict of tensors that is nearest to the top. FileError: damaged, another thing than plain data and dense tensors, no
// dict of tensors, or several (the message lists their keys). ConfigError: no such key, no name with the prefix.
PytorchFile read_pytorch(const std::filesystem::path& path, const PytorchOptions& options = {});

// Takes the prefix off the names that begin with it. ConfigError where none does, FileError where two become one.
void strip_prefix(std::map<std::string, at::Tensor>& tensors, const std::string& prefix, const std::string& where);

}  // namespace vaetl
