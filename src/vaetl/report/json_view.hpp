// Reading what a run wrote: a key that is absent or null is left out quietly, one of another type is a FileError that
// names file and key.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/core/json.hpp"

namespace vaetl {

// One JSON object; `where` is its file and, after that, its place. The Json must outlive the view.
class JsonView {
 public:
  JsonView(const Json& object, std::string where);

  std::optional<double> number(std::string_view key) const;  // none where it is not finite
  std::string text(std::string_view key) const;
  bool flag(std::string_view key, bool otherwise) const;
  JsonView object(std::string_view key) const;                 // an empty one where there is none
  std::vector<JsonView> objects(std::string_view key) const;   // of an array
  std::vector<std::string> texts(std::string_view key) const;  // of an array
  std::vector<double> numbers(std::string_view key) const;     // of an array; all must be finite
  std::vector<std::vector<double>> rows(std::string_view key, std::size_t width) const;  // of an array of such
  bool has(std::string_view key) const { return find(key) != nullptr; }
  bool empty() const { return json_->empty(); }
  const Json& json() const { return *json_; }
  const std::string& where() const { return where_; }

 private:
  const Json* find(std::string_view key) const;
  [[noreturn]] void fail(std::string_view key, std::string_view expected) const;
  const Json& array(std::string_view key) const;

  const Json* json_;
  std::string where_;
};

}  // namespace vaetl
