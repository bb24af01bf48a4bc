#include "tests/io/tensor_files.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

namespace vaetl::testing {

std::map<std::string, at::Tensor> exchange_tensors() {
  const auto ramp = at::arange(-3, 3).view({2, 3});
  std::map<std::string, at::Tensor> tensors;
  for (const auto dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort,
                           at::kChar, at::kByte, at::kBool}) {
    const auto values = dtype == at::kByte ? ramp.remainder(256) : ramp;
    tensors[std::string("ramp.") + c10::toString(dtype)] = values.to(dtype);
  }
  for (const auto dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16}) {
    const auto infinity = std::numeric_limits<double>::infinity();
    tensors[std::string("special.") + c10::toString(dtype)] =
        at::tensor({infinity, -infinity, -0.0, 1.0 / 3.0}, at::kDouble).to(dtype);
  }
  tensors["extremes"] =
      at::tensor({std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()});
  tensors["scalar"] = at::scalar_tensor(2.5, at::kFloat);
  tensors["empty"] = at::empty({0, 3}, at::kHalf);
  tensors["six"] = at::arange(64, at::kShort).view({2, 2, 2, 2, 2, 2});
  tensors["transposed"] = at::arange(6, at::kFloat).view({2, 3}).t();
  tensors["naïve \"name\"\\\n"] = at::ones({3}, at::kChar);
  return tensors;
}

void expect_same(const std::map<std::string, at::Tensor>& found, const std::map<std::string, at::Tensor>& expected) {
  EXPECT_EQ(found.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const auto at = found.find(name);
    if (at == found.end()) {
      ADD_FAILURE() << name << " is missing";
      continue;
    }
    const auto wanted = tensor.contiguous();
    EXPECT_EQ(at->second.scalar_type(), wanted.scalar_type()) << name;
    ASSERT_EQ(at->second.sizes(), wanted.sizes()) << name;
    ASSERT_EQ(at->second.nbytes(), wanted.nbytes()) << name;
    const auto bytes = at->second.contiguous();
    if (wanted.nbytes() == 0) continue;  // an empty tensor has no address to compare
    EXPECT_EQ(std::memcmp(bytes.const_data_ptr(), wanted.const_data_ptr(), wanted.nbytes()), 0) << name;
  }
}

std::string tensor_file(std::string_view header, std::string_view data) {
  const std::uint64_t size = header.size();
  std::string file(sizeof size, '\0');
  std::memcpy(file.data(), &size, sizeof size);
  return file.append(header).append(data);
}

}  // namespace vaetl::testing
