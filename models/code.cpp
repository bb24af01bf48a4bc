#include "vaetl/models/code.hpp"

#include <ATen/ops/topk.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "vaetl/core/error.hpp"

namespace vaetl::models {
namespace {

nn::Activation code_activation(const std::string& name) {
  return name == "identity" ? nn::Activation() : nn::Activation(name);
}

at::Tensor keep_largest(const at::Tensor& values, std::int64_t count) {
  const auto [kept, index] = at::topk(values, count, /*dim=*/1, /*largest=*/true, /*sorted=*/false);
  return at::zeros_like(values).scatter(1, index, kept);
}

}  // namespace

// Values that are not kept are 0.
Range Code::range() const {
  const Range kept = code_activation(activation).range();
  return top_k > 0 ? between(std::min(kept.low, 0.0), std::max(kept.high, 0.0)) : kept;
}

void Code::validate() const {
  if (top_k > size)
    throw ConfigError({"top_k", fmt::format("at most {}, the size of the code", size), std::to_string(top_k), {}});
  if (top_k == 0 && top_k_factor != 1) {
    throw ConfigError(
        {"top_k_factor", "1 where top_k is 0", fmt::format("{}", top_k_factor), "say how many values are kept"});
  }
}

CodeBlock::CodeBlock(std::int64_t in, const Code& code)
    : code_(code),
      dense_(register_module("dense", std::make_shared<nn::Linear>(in, code.size))),
      norm_(code.batch_norm ? register_module("norm", std::make_shared<nn::BatchNorm>(code.size)) : nullptr),
      activation_(code_activation(code.activation)) {}

std::int64_t CodeBlock::kept() const {
  if (is_training()) return code_.top_k;
  return std::min<std::int64_t>(code_.size, std::llround(static_cast<double>(code_.top_k) * code_.top_k_factor));
}

at::Tensor CodeBlock::forward(const at::Tensor& x) {
  at::Tensor values = dense_->forward(x.flatten(1));
  if (norm_) values = norm_->forward(values);
  values = activation_(std::move(values));
  return code_.top_k > 0 && kept() < code_.size ? keep_largest(values, kept()) : values;
}

std::optional<nn::DenseLayer> CodeBlock::as_dense() const {
  if (norm_ || code_.top_k > 0) return std::nullopt;
  return dense_->layer(activation_);
}

}  // namespace vaetl::models
