// Named tensors of a batch. Plain data, in core so that models and objectives need not know where data come from.
// Dimension letters, here and everywhere: N batch, C channels, H W height and width, T time, F features, Z latent, K
// classes.
#pragma once
#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vaetl {

// Named tensors with equal first dimension N. Standard keys: input target weight length index condition features;
// target.scale: of a standardised target, by which a difference is multiplied to be in the target's own units.
class Fields {
 public:
  const at::Tensor& operator[](std::string_view key) const;  // DataError lists the keys there are
  bool has(std::string_view key) const { return tensors_.find(key) != tensors_.end(); }
  void set(std::string key, at::Tensor value) { tensors_.insert_or_assign(std::move(key), std::move(value)); }
  void erase(std::string_view key);
  const at::Tensor& input() const { return (*this)["input"]; }
  const at::Tensor& target() const { return (*this)["target"]; }
  std::int64_t size() const { return tensors_.empty() ? 0 : tensors_.begin()->second.size(0); }
  std::vector<std::string> keys() const;
  auto begin() const { return tensors_.begin(); }
  auto end() const { return tensors_.end(); }

 private:
  std::map<std::string, at::Tensor, std::less<>> tensors_;
};

using Batch = std::map<std::string, Fields, std::less<>>;  // stream name → fields; one stream is called "train"

}  // namespace vaetl
