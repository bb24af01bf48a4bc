// What readers of text share: parts of a line and names of classes.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vaetl::readers {

std::string_view trimmed(std::string_view text);                             // of blanks and tabs at both ends
std::vector<std::string_view> split(std::string_view text, char delimiter);  // "a,,b" has three parts
std::vector<std::string_view> words(std::string_view text);                  // between runs of blanks and tabs

// Whether a value stands for one that is missing: empty, "?", "NA", "NaN", "null", "none" in any case.
bool is_missing(std::string_view text);

// One name for one label, however a file writes it: "1", "1.0" and "1.0000000e+00" are "1".
std::string label_name(std::string_view text);

// Each once, in order: by number where all are numbers, else as text.
std::vector<std::string> sorted_names(std::vector<std::string> names);

// Names to 0 … K−1 in their order.
class Labels {
 public:
  explicit Labels(const std::vector<std::string>& names);
  std::optional<std::int64_t> find(const std::string& name) const;

 private:
  std::map<std::string, std::int64_t> index_ = {};
};

}  // namespace vaetl::readers
