// Tensors that python_exchange.py makes too, and safetensors files put together by hand.
#pragma once
#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <string_view>

namespace vaetl::testing {

// Every dtype, with extremes, and every odd shape: scalar, empty, six dimensions. Keep equal to tensors() of the
// script.
std::map<std::string, at::Tensor> exchange_tensors();

// Same names, dtypes, shapes and bytes; NaN equals NaN.
void expect_same(const std::map<std::string, at::Tensor>& found, const std::map<std::string, at::Tensor>& expected);

// The size of `header`, `header`, `data`.
std::string tensor_file(std::string_view header, std::string_view data);

}  // namespace vaetl::testing
