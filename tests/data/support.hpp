// Temporary folders, IDX files made by hand, and the places of real data.
#pragma once
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/temporary_folder.hpp"
#include "vaetl/data/dataset.hpp"
#include "vaetl/io/gzip.hpp"

namespace vaetl::testing {

namespace fs = std::filesystem;

// Files may stand in subfolders, and content is written as it is.
class Folder : private TemporaryFolder {
 public:
  fs::path path() const { return TemporaryFolder::path(); }
  fs::path write(const std::string& name, std::string_view bytes) const {
    fs::create_directories((path() / name).parent_path());
    return file(name, bytes);
  }
};

// An environment variable for the length of a test.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

inline std::string idx(const std::vector<std::uint32_t>& shape, const std::string& values, char type = 0x08) {
  std::string bytes = {0, 0, type, static_cast<char>(shape.size())};
  for (std::uint32_t size : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(size >> shift & 0xff));
  }
  return bytes + values;
}

// 0, 1, 2, …, as bytes.
inline std::string ramp(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>(i);
  return bytes;
}

inline at::Tensor long_tensor(std::vector<std::int64_t> values) { return at::tensor(values, at::kLong); }

inline std::vector<std::int64_t> values_of(const at::Tensor& tensor) {
  const at::Tensor own = tensor.to(at::kLong).contiguous();
  return {own.const_data_ptr<std::int64_t>(), own.const_data_ptr<std::int64_t>() + own.numel()};
}

// `count` examples, input[i] = i in every one of four pixels, label i % classes.
inline Dataset numbered(std::int64_t count, std::int64_t classes) {
  Fields fields;
  fields.set("input", at::arange(count, at::kFloat).view({-1, 1, 1, 1}).expand({count, 1, 2, 2}).contiguous());
  fields.set("target", at::arange(count, at::kLong).remainder(classes));
  return Dataset::from_tensors(fields, {.name = "numbered"});
}

// A folder of shared test data, or nothing where it is absent.
inline std::optional<fs::path> shared_data(const std::string& name) {
  const char* root = std::getenv("VAETL_TEST_DATA");
  const fs::path folder = fs::path(root != nullptr ? root : "../shared/data") / name;
  return fs::is_directory(folder) ? std::optional(folder) : std::nullopt;
}

}  // namespace vaetl::testing
