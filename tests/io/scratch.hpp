// A folder of its own for each test, removed afterwards, and plain ways to fill it.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vaetl::testing {

class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path put(const std::string& name, std::string_view bytes) const;
  std::vector<std::string> names() const;  // what lies in the folder, hidden or not, sorted

 private:
  std::filesystem::path folder_;
};

std::string bytes_of(const std::filesystem::path& path);

}  // namespace vaetl::testing
