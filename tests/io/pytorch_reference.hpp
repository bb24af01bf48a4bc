// Files of torch.save's own making (tests/parity/pytorch_files.py).
#pragma once
#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

namespace vaetl::testing {

// "zip.types", "stream.ordered.protocol4", …
std::vector<std::string> torch_file_names();
std::string torch_file(const std::string& name);
// What the file of that name was saved from.
std::map<std::string, at::Tensor> torch_tensors(const std::string& name);

}  // namespace vaetl::testing
