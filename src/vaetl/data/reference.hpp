// A reference to data: a known set's name or a reader's, with a path and options.
//   NAME                          fashion-mnist
//   KIND:PATH                     idx:/data/scans
//   KIND:PATH?key=value&key=value csv:train.csv?target=income&test=test.csv
// A value is JSON where it parses as JSON, else text; `%26`, `%3F` and `%25` stand for & ? % in it. In a recipe it may
// be an object as well: {"name": "csv", "path": "train.csv", "target": "income"}.
#pragma once
#include <string>

#include "vaetl/core/config.hpp"

namespace vaetl::data {

struct Reference {
  std::string name = {};  // of a known set or of a reader
  std::string path = {};  // empty: a known set's own
  Json options = Json::object();

  bool empty() const { return name.empty(); }
  std::string text() const;  // parse_reference() reads it back
  bool operator==(const Reference& other) const { return text() == other.text(); }
};

// ConfigError for a text that has no such form.
Reference parse_reference(const std::string& text);

}  // namespace vaetl::data

namespace vaetl {
template <>
struct Codec<data::Reference> {
  static void read(const Json&, const std::string& path, data::Reference& value, const Rule& rule);
  static Json write(const data::Reference& value);
  static Json schema(const Rule& rule);
};
}  // namespace vaetl
