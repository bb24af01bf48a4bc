#include "vaetl/core/json.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unordered_set>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

std::string size_text(std::size_t bytes) {
  constexpr std::size_t mib = 1u << 20;
  return bytes >= mib && bytes % mib == 0 ? fmt::format("{} MiB", bytes / mib) : fmt::format("{} bytes", bytes);
}

std::string position(std::string_view before) {
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const auto column = std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_start), before.end(),
                                    [](unsigned char c) { return (c & 0xc0) != 0x80; });  // characters, not bytes
  return fmt::format("line {}, column {}", std::count(before.begin(), before.end(), '\n') + 1, column + 1);
}

// The parser's own "[json.exception…] …: syntax error while parsing X - REASON[; last read: Y][; expected Z]", taken
// apart.
struct Syntax {
  explicit Syntax(std::string_view raw) {
    if (const auto dash = raw.find(" - "); dash != std::string_view::npos) raw.remove_prefix(dash + 3);
    const auto last_read = raw.find("; last read");
    const auto wanted = raw.find("; expected ");
    reason = raw.substr(0, std::min(last_read, wanted));
    malformed = last_read != std::string_view::npos;
    if (!malformed && wanted != std::string_view::npos) expected = raw.substr(wanted + 11);
  }
  std::string reason, expected = "valid JSON";
  bool malformed = false;  // a token that is none, rather than one out of place
};

Problem syntax_problem(std::string where, const Syntax& syntax, std::string_view rest) {
  constexpr std::string_view unexpected = "unexpected ";
  if (syntax.reason.find("UTF-8") != std::string::npos) return {std::move(where), "UTF-8 text", "other bytes", {}};
  if (syntax.reason.starts_with(unexpected)) {
    return {std::move(where), syntax.expected, syntax.reason.substr(unexpected.size()), {}};
  }
  if (rest.empty()) return {std::move(where), syntax.expected, syntax.reason + " at the end", {}};
  const bool control = static_cast<unsigned char>(rest.front()) < 0x20;
  return {std::move(where), syntax.expected, control ? syntax.reason : syntax.reason + " at " + quote(rest, 12), {}};
}

// Builds the tree while the parser runs, so that a limit stops it at once and a key that stands twice is seen.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, const std::string& where, JsonLimits limits)
      : text_(text), where_(where), limits_(limits) {}
  Json result() { return std::move(root_); }

  bool null() override { return value({}); }
  bool boolean(bool v) override { return value(v); }
  bool number_integer(number_integer_t v) override { return value(v); }
  bool number_unsigned(number_unsigned_t v) override { return value(v); }
  bool number_float(number_float_t v, const string_t&) override { return value(v); }
  bool string(string_t& v) override { return value(std::move(v)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& v) override {
    Level& level = levels_.back();
    level.key = v;
    if (level.keys.insert(v).second) return true;
    throw ConfigError({where_, "every key once", fmt::format("{} twice", quote(path())), "keep one of them"});
  }

  // `count` characters were read when the parser stopped; the last of them is at fault.
  bool parse_error(std::size_t count, const std::string& token, const nlohmann::json::exception& raw) override {
    constexpr int number_overflow = 406;
    const Syntax syntax(raw.what());
    const bool ended = syntax.reason.find("end of input") != std::string::npos || count > text_.size();
    const std::size_t fault = ended ? text_.size() : std::max<std::size_t>(count, 1) - 1;
    const std::string where = fmt::format("{}, {}", where_, position(text_.substr(0, fault)));
    if (raw.id == number_overflow) throw ConfigError({where, "a number that fits a double", quote(token), {}});
    throw ConfigError(syntax_problem(where, syntax, text_.substr(fault)));
  }

 private:
  struct Level {
    Json* node;
    std::string key = {};
    std::unordered_set<std::string> keys = {};
  };

  // Stays valid while it is open: its parent gets no further child until then.
  Json& append(Json v) {
    if (levels_.empty()) return root_ = std::move(v);
    Level& level = levels_.back();
    if (level.node->is_array()) return level.node->get_ref<Json::array_t&>().emplace_back(std::move(v));
    return level.node->get_ref<Json::object_t&>().emplace_back(level.key, std::move(v)).second;
  }
  bool value(Json v) {
    append(std::move(v));
    return true;
  }
  bool open(Json v) {
    if (levels_.size() >= limits_.depth) {
      throw ConfigError({where_, fmt::format("at most {} levels of nesting", limits_.depth), "more", {}});
    }
    levels_.push_back({&append(std::move(v))});
    return true;
  }
  bool close() {
    levels_.pop_back();
    return true;
  }
  std::string path() const {
    std::string result;
    for (const Level& level : levels_) {
      const bool array = level.node->is_array();
      result += array ? fmt::format("[{}]", level.node->size() - 1) : (result.empty() ? "" : ".") + level.key;
    }
    return result;
  }

  std::string_view text_;
  const std::string& where_;
  JsonLimits limits_;
  Json root_;
  std::vector<Level> levels_;
};

[[noreturn]] void throw_too_large(const std::string& where, std::size_t limit, const std::string& found) {
  throw ConfigError({where, "at most " + size_text(limit), found, {}});
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File open_file(const std::string& path) {
  struct stat info {};
  const bool known = ::stat(path.c_str(), &info) == 0;
  if (known && S_ISDIR(info.st_mode)) throw ConfigError({path, "a JSON file", "a folder", {}});
  File file(known ? std::fopen(path.c_str(), "rb") : nullptr, &std::fclose);
  if (!file) throw ConfigError({path, "a JSON file that can be read", std::strerror(errno), "check the path"});
  return file;
}

// Pipes have no size, so the limit holds while reading.
std::string read_text(const std::string& path, std::size_t limit) {
  const File file = open_file(path);
  std::string text;
  std::vector<char> buffer(1u << 16);
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    text.append(buffer.data(), count);
    if (text.size() > limit) throw_too_large(path, limit, "a larger file");
  }
  if (std::ferror(file.get())) throw ConfigError({path, "a JSON file that can be read", std::strerror(errno), {}});
  return text;
}

}  // namespace

Json parse_json(std::string_view text, const std::string& where, JsonLimits limits) {
  if (text.size() > limits.bytes) throw_too_large(where, limits.bytes, size_text(text.size()));
  Builder builder(text, where, limits);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.result();
}

Json read_json(const std::string& path, JsonLimits limits) {
  return parse_json(read_text(path, limits.bytes), path, limits);
}

std::string json_type(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::boolean:
      return "a boolean";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "an integer";
    case Json::value_t::number_float:
      return "a number";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::object:
      return "an object";
    default:
      return "binary data";
  }
}

}  // namespace vaetl
