#include "vaetl/zoo/index.hpp"

#include <charconv>
#include <set>

#include "vaetl/core/text.hpp"
#include "vaetl/zoo/file_error.hpp"

namespace vaetl::zoo {
namespace {

constexpr std::int64_t most_file_bytes = std::int64_t{1} << 40;
constexpr std::size_t most_files = 100;

[[noreturn]] void refuse(const std::string& place, const std::string& expected, const std::string& found) {
  throw FileError({place, expected, found, "an index cannot name anything but entries and their files"});
}

void check_entry_of_index(const IndexedEntry& entry, const std::string& where) {
  const std::string words = "letters, digits, - _ and .", place = where + ": " + quote(entry.name);
  if (!is_entry_name(entry.name)) refuse(where + ": name", words, quote(entry.name));
  if (!is_entry_name(entry.version)) refuse(place + ": version", words, quote(entry.version));
  if (entry.files.size() > most_files) {
    refuse(place + ": files", fmt::format("at most {}", most_files), std::to_string(entry.files.size()));
  }
  if (!entry.files.contains(card_file)) refuse(place + ": files", card_file, "none");
  for (const auto& [name, file] : entry.files) {
    if (!is_entry_name(name)) refuse(place + ": files", "names of files: " + words, quote(name));
    if (file.bytes > most_file_bytes) {
      refuse(place + ": " + name, fmt::format("at most {} bytes", most_file_bytes), std::to_string(file.bytes));
    }
    if (file.sha256.size() != 64 || file.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
      refuse(place + ": " + name + ".sha256", "64 hexadecimal digits", quote(file.sha256, 70));
    }
  }
}

std::vector<std::string> parts_of(const std::string& version) {
  std::vector<std::string> parts;
  std::istringstream stream(version);
  for (std::string part; std::getline(stream, part, '.');) parts.push_back(part);
  return parts;
}

std::optional<std::int64_t> number_in(const std::string& part) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
  return error == std::errc() && end == part.data() + part.size() ? std::optional(number) : std::nullopt;
}

// −1, 0 or 1.
int compare_parts(const std::string& a, const std::string& b) {
  const auto left = number_in(a), right = number_in(b);
  if (left && right) return *left < *right ? -1 : *left > *right ? 1 : 0;
  return a < b ? -1 : a > b ? 1 : 0;
}

}  // namespace

std::int64_t IndexedEntry::bytes() const {
  std::int64_t sum = 0;
  for (const auto& [name, file] : files) sum += file.bytes;
  return sum;
}

bool is_newer(const std::string& version, const std::string& than) {
  const auto a = parts_of(version), b = parts_of(than);
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (const int order = compare_parts(a[i], b[i]); order != 0) return order > 0;
  }
  return a.size() > b.size();
}

Index read_index(const std::string& text, const std::string& where) {
  const Json json = blame(where, [&] { return parse_json(text, {}); });
  const Json version = json.is_object() ? json.value("format_version", Json()) : Json();
  if (version != index_format) {
    const bool newer = version.is_number_integer() && version > index_format;
    throw FileError({where + ": format_version", fmt::format("version {}", index_format), version.dump(),
                     newer ? "a newer vaetl wrote this index: update" : ""});
  }
  const Index index = blame(where, [&] { return from_json<Index>(json); });
  std::set<std::pair<std::string, std::string>> seen;
  for (const IndexedEntry& entry : index.entries) {
    check_entry_of_index(entry, where);
    if (seen.insert({entry.name, entry.version}).second) continue;
    throw FileError({where, "every version of an entry once", quote(entry.name) + " " + entry.version + " twice", {}});
  }
  return index;
}

std::string index_text(const Index& index) {
  return to_json(index).dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

const IndexedEntry& find_entry(const Index& index, const std::string& reference, const std::string& where) {
  const auto at = reference.find('@');
  const std::string name = reference.substr(0, at), version = at == reference.npos ? "" : reference.substr(at + 1);
  const IndexedEntry* found = nullptr;
  std::vector<std::string> names, versions;
  for (const IndexedEntry& entry : index.entries) {
    names.push_back(entry.name);
    if (entry.name != name) continue;
    versions.push_back(entry.version);
    if (!version.empty() && entry.version != version) continue;
    if (found == nullptr || is_newer(entry.version, found->version)) found = &entry;
  }
  if (found != nullptr) return *found;
  if (!versions.empty()) {
    throw FileError({where, quote(name) + " in version " + version, "versions " + join(versions), {}});
  }
  throw FileError({where, "an entry " + quote(name), names.empty() ? "no entry at all" : "none of that name",
                   did_you_mean(name, names)});
}

}  // namespace vaetl::zoo
