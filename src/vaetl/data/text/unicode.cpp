#include "vaetl/data/text/unicode.hpp"

#include <utf8proc.h>

#include "vaetl/core/error.hpp"
#include "vaetl/io/gzip.hpp"

namespace vaetl::text {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_character = 4;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

const utf8proc_uint8_t* units(std::string_view text) { return reinterpret_cast<const utf8proc_uint8_t*>(text.data()); }

// How many of the first bytes are whole characters of UTF-8.
std::size_t valid_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    utf8proc_int32_t code = 0;
    const auto size = utf8proc_iterate(units(text) + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (size < 1) break;
    at += static_cast<std::size_t>(size);
  }
  return at;
}

void refuse_utf16(const fs::path& file, std::string_view begin) {
  if (!begin.starts_with("\xff\xfe") && !begin.starts_with("\xfe\xff")) return;
  throw DataError({file.string(), "text as UTF-8 or latin-1", "UTF-16 (its byte order mark)",
                   "iconv -f UTF-16 -t UTF-8 makes it UTF-8"});
}

bool is_utf8_file(const fs::path& file) {
  constexpr std::size_t block = std::size_t{1} << 16;
  ByteReader reader(file);
  std::string window;
  bool zero = false, valid = true;
  for (bool first = true; valid; first = false) {
    const std::size_t kept = window.size();
    window.resize(kept + block);
    window.resize(kept + reader.read(window.data() + kept, block));
    if (first) refuse_utf16(file, window);
    zero = zero || window.find('\0') != std::string::npos;
    const bool last = window.size() == kept;
    window.erase(0, valid_prefix(window));
    if (last && window.empty()) return true;
    valid = !last && window.size() < longest_character;  // a character that the next block may complete
  }
  if (!zero) return false;
  throw DataError({file.string(), "text as UTF-8 or latin-1", "other bytes, and a byte 0 among them", {}});
}

std::string from_latin1(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    utf8proc_uint8_t units_of[longest_character];
    const auto size = utf8proc_encode_char(static_cast<unsigned char>(c), units_of);
    text.append(reinterpret_cast<const char*>(units_of), static_cast<std::size_t>(size));
  }
  return text;
}

int options_of(Form form, bool fold) {
  int options = fold ? UTF8PROC_CASEFOLD : 0;
  if (form != Form::as_it_stands) options |= UTF8PROC_STABLE | UTF8PROC_COMPOSE;
  if (form == Form::nfkc) options |= UTF8PROC_COMPAT;
  return options;
}

}  // namespace

std::string normalise(std::string_view text, Form form, bool fold) {
  std::string result(text);
  if (is_ascii(text)) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    if (fold) std::transform(result.begin(), result.end(), result.begin(), lower);
    return result;
  }
  if (form == Form::as_it_stands && !fold) return result;
  utf8proc_uint8_t* mapped = nullptr;
  const auto size = utf8proc_map(units(text), static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                 static_cast<utf8proc_option_t>(options_of(form, fold)));
  if (size < 0) throw std::bad_alloc();  // valid UTF-8 has no other way to fail
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> guard(mapped, &std::free);
  return {reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size)};
}

bool next_character(std::string_view& rest, Character& character) {
  if (rest.empty()) return false;
  const auto size = utf8proc_iterate(units(rest), static_cast<utf8proc_ssize_t>(rest.size()), &character.code);
  if (size < 1) character.code = 0xfffd;
  character.bytes = rest.substr(0, size < 1 ? 1 : static_cast<std::size_t>(size));
  rest.remove_prefix(character.bytes.size());
  return true;
}

bool is_latin1(const fs::path& file, const std::string& encoding) {
  if (encoding != "auto") return encoding == "latin-1";
  return !is_utf8_file(file);
}

std::string read_text(const fs::path& file, const std::string& encoding) {
  std::string bytes = read_maybe_gzip(file, most_text);
  refuse_utf16(file, bytes);
  if (const auto zero = bytes.find('\0'); zero != std::string::npos) {
    throw DataError({file.string(), "text", fmt::format("a byte 0 at position {}, which no text has", zero), {}});
  }
  const std::size_t valid = encoding == "latin-1" ? 0 : valid_prefix(bytes);
  if (encoding == "utf-8" && valid < bytes.size()) {
    throw DataError({file.string(), "text as UTF-8", fmt::format("other bytes at position {}", valid),
                     "encoding=latin-1 reads ISO 8859-1"});
  }
  if (valid < bytes.size()) return from_latin1(bytes);
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.erase(0, 3);
  return bytes;
}

}  // namespace vaetl::text
