// Text as Unicode, by utf8proc. All text inside is UTF-8; files may be ISO 8859-1 (latin-1) as well.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace vaetl::text {

constexpr std::size_t most_text = std::size_t{1} << 31;  // bytes of one file that are read

enum class Form { as_it_stands, nfc, nfkc };

// Canonical composition (NFC) makes one character of a letter and its accents; NFKC unites compatible forms (ﬁ → fi,
// ２ → 2) as well. `fold` folds case: STRASSE and Straße become strasse.
std::string normalise(std::string_view text, Form form, bool fold);

// A code point and the bytes that spell it.
struct Character {
  std::int32_t code = 0;
  std::string_view bytes = {};
};
// Takes the first one off `rest`; false where nothing is left. Bytes that are no UTF-8 come one by one as U+FFFD.
bool next_character(std::string_view& rest, Character& character);

// Whether the bytes of a file are latin-1: `encoding` says so, or is "auto" and they are not UTF-8. DataError for
// UTF-16, for what is no text (other bytes than UTF-8's, with a 0 among them) and for files that cannot be read.
bool is_latin1(const std::filesystem::path& file, const std::string& encoding);

// A whole file (gzip or not) as UTF-8 without a byte order mark. DataError where it is no text (a byte 0), not UTF-8
// although `encoding` says so, or larger than most_text.
std::string read_text(const std::filesystem::path& file, const std::string& encoding);

}  // namespace vaetl::text
