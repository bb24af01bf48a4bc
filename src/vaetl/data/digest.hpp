// data_sha256 of examples that come part by part, and how parts are cut.
#pragma once
#include <functional>
#include <map>

#include "vaetl/data/dataset.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl {

class DataDigest {
 public:
  void add(const Fields& part);
  void add(const std::string& key, const at::Tensor& part);
  // A field as a whole: its values, or the digest to which they have been added.
  bool has(const std::string& key) const { return columns_.contains(key); }
  void set(const std::string& key, const at::Tensor& values, Sha256 digest);
  std::string hex();  // once, after the last part

 private:
  struct Column {
    at::ScalarType dtype = at::kByte;
    std::vector<std::int64_t> shape = {};  // with N
    Sha256 values = {};
  };
  std::map<std::string, Column> columns_;
};

std::int64_t example_bytes(const DatasetInfo& info);  // of all fields together; at least 1

// Calls `use` with all examples in storage order, as many at a time as fit in 16 MiB (at least one; once where there
// are none): memory stays bounded whatever the size of the data.
void visit_parts(const Dataset& data, const std::function<void(const Fields& part, std::int64_t end)>& use);

}  // namespace vaetl
