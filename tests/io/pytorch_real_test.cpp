// Weights that others made, against torch.load (tests/parity/pytorch_files.json).
#include <ATen/ATen.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/io/pytorch.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::pytorch_real_test {
namespace {

namespace fs = std::filesystem;

fs::path weights_folder() {
  const char* root = std::getenv("VAETL_TEST_DATA");
  return fs::path(root != nullptr ? root : "../shared/data") / "weights";
}

Json digest(const PytorchFile& file) {
  std::string names, values;
  std::int64_t elements = 0;
  double sum = 0;
  for (const auto& [name, tensor] : file.tensors) {
    names += fmt::format("{} {} {}\n", name, dtype_name(tensor.scalar_type()), tensor.sizes().vec());
    values.append(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
    elements += tensor.numel();
    sum += tensor.sum(at::kDouble).item<double>();
  }
  return {{"tensors", file.tensors.size()},
          {"elements", elements},
          {"sum", sum},
          {"names_sha256", sha256_hex(names)},
          {"values_sha256", sha256_hex(values)}};
}

TEST(PytorchReal, EveryFileReadsAsTorchLoadDoes) {
  if (!fs::is_directory(weights_folder())) GTEST_SKIP() << "no weights under VAETL_TEST_DATA (default ../shared/data)";
  const Json expected = read_json("tests/parity/pytorch_files.json");
  EXPECT_EQ(expected.size(), 6u);
  for (const auto& [name, facts] : expected.items()) {
    const PytorchFile file = read_pytorch(weights_folder() / name);
    const Json found = digest(file);
    for (const char* key : {"tensors", "elements", "names_sha256", "values_sha256"}) {
      EXPECT_EQ(found[key], facts[key]) << name << ": " << key;
    }
    // Two orders of summing up to 10^6 doubles.
    EXPECT_NEAR(found["sum"].get<double>(), facts["sum"].get<double>(), 1e-7 * std::abs(facts["sum"].get<double>()));
    for (const auto& [key, value] : facts["values"].items()) EXPECT_EQ(file.values.at(key), value) << name;
  }
}

TEST(PytorchReal, AModuleIsRefusedByName) {
  const fs::path file = weights_folder() / "lenet-mnist/lenet_mnist_model.eshal26.pth";
  if (!fs::exists(file)) GTEST_SKIP() << "no weights under VAETL_TEST_DATA (default ../shared/data)";
  testing::expect_error<FileError>([&] { read_pytorch(file); },
                                   {"lenet_mnist_model.eshal26.pth: expected tensors, dicts, lists, numbers and "
                                    "strings, found a pickled object of class \"__main__.LeNet\""});
}

}  // namespace
}  // namespace vaetl::pytorch_real_test
