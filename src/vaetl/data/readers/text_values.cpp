#include "vaetl/data/readers/text_values.hpp"

#include "vaetl/data/readers/table_columns.hpp"

namespace vaetl::readers {

namespace {
constexpr std::string_view blanks = " \t";
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::vector<std::string_view> split(std::string_view text, char delimiter) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(delimiter, begin);
    parts.push_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = text.find_first_not_of(blanks); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(blanks, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(blanks, end);
  }
  return parts;
}

bool is_missing(std::string_view text) {
  std::string lower(trimmed(text));
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const char* word : {"", "?", "na", "nan", "null", "none"}) {
    if (lower == word) return true;
  }
  return false;
}

std::string label_name(std::string_view text) {
  text = trimmed(text);
  const auto value = parse_number(text);
  const bool integer = value && std::trunc(*value) == *value && std::abs(*value) < 1e15;
  return integer ? fmt::format("{}", static_cast<std::int64_t>(*value)) : std::string(text);
}

std::vector<std::string> sorted_names(std::vector<std::string> names) {
  sort_texts(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Labels::Labels(const std::vector<std::string>& names) {
  for (const auto& name : names) index_.emplace(name, static_cast<std::int64_t>(index_.size()));
}

std::optional<std::int64_t> Labels::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace vaetl::readers
