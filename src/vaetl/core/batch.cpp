#include "vaetl/core/batch.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl {

const at::Tensor& Fields::operator[](std::string_view key) const {
  if (const auto found = tensors_.find(key); found != tensors_.end()) return found->second;
  const std::string there = tensors_.empty() ? "no fields" : "only " + join(keys());
  throw DataError({"batch", fmt::format("a field {}", quote(key)), there, {}});
}

void Fields::erase(std::string_view key) {
  if (const auto found = tensors_.find(key); found != tensors_.end()) tensors_.erase(found);
}

std::vector<std::string> Fields::keys() const {
  std::vector<std::string> result;
  for (const auto& [key, tensor] : tensors_) result.push_back(key);
  return result;
}

}  // namespace vaetl
