#include "vaetl/data/text/sentencepiece.hpp"

#include <limits>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/text/unicode.hpp"
#include "vaetl/io/base64.hpp"

namespace vaetl::text {
namespace {

constexpr std::string_view written_blank = "\xe2\x96\x81";  // ▁
constexpr std::string_view replacement_character = "\xef\xbf\xbd";
constexpr std::size_t most_normal_bytes = std::size_t{16} << 20;

bool ends_with_any(std::string_view text, std::string_view end) { return !text.empty() && text.ends_with(end); }

void append_blanks_written(std::string& to, std::string_view text, bool written) {
  for (const char c : text) {
    if (c == ' ' && written) {
      to += written_blank;
    } else {
      to += c;
    }
  }
}

[[noreturn]] void throw_too_long() {
  throw DataError({"sentencepiece", fmt::format("texts of at most {} bytes after normalisation", most_normal_bytes),
                   "a longer one", "divide it into lines"});
}

}  // namespace

SentencePieces::SentencePieces(std::string_view model, const std::string& where)
    : model_(parse_pieces_model(model, where)) {
  if (!model_.replacements.empty()) replacements_ = ReplacementTable(model_.replacements);
  least_ = std::numeric_limits<float>::max();
  std::vector<PrefixTrie::Entry> ordinary, symbols;
  for (std::int32_t id = 0; id < size(); ++id) {
    const Piece& piece = model_.pieces[static_cast<std::size_t>(id)];
    const PrefixTrie::Entry entry{piece.text, id};
    if (piece.type == PieceType::user_defined) symbols.push_back(entry);
    if (piece.type == PieceType::unknown) unknown_ = id;
    if (piece.type == PieceType::byte) bytes_[std::stoul(piece.text.substr(3, 2), nullptr, 16)] = id;
    if (piece.type == PieceType::normal) least_ = std::min(least_, piece.score);
    const bool text =
        piece.type == PieceType::normal || piece.type == PieceType::user_defined || piece.type == PieceType::unused;
    if (text) ordinary.push_back(entry);
  }
  pieces_ = PrefixTrie(std::move(ordinary));
  symbols_ = PrefixTrie(std::move(symbols));
}

SentencePieces SentencePieces::from_base64(std::string_view model) {
  if (const auto bytes = base64_decode(model)) return {*bytes, "option `pieces`"};
  throw ConfigError({"pieces", "a SentencePiece model in base 64", quote(model), {}});
}

SentencePieces::Step SentencePieces::step(std::string_view text) const {
  if (const std::size_t length = symbols_.longest_prefix(text); length > 0) return {text.substr(0, length), length};
  if (const auto match = replacements_.longest(text); match.length > 0) return {match.replacement, match.length};
  Character character;
  std::string_view rest = text;
  next_character(rest, character);
  const bool invalid = character.bytes.size() == 1 && static_cast<unsigned char>(text[0]) >= 0x80;
  return {invalid ? replacement_character : character.bytes, character.bytes.size()};
}

std::string SentencePieces::normalised(std::string_view text) const {
  const bool lean = model_.remove_extra_whitespaces;
  const std::string_view blank = model_.escape_whitespaces ? written_blank : " ";
  while (lean && !text.empty()) {
    const Step next = step(text);
    if (next.normal != " ") break;
    text.remove_prefix(next.taken);
  }
  std::string result;
  if (text.empty()) return result;
  if (model_.dummy_prefix && !model_.whitespace_suffix) result += blank;
  bool after_blank = lean;
  while (!text.empty()) {
    Step next = step(text);
    while (after_blank && next.normal.starts_with(' ')) next.normal.remove_prefix(1);
    append_blanks_written(result, next.normal, model_.escape_whitespaces);
    if (!next.normal.empty()) after_blank = lean && next.normal.ends_with(' ');
    text.remove_prefix(next.taken);
    if (result.size() > most_normal_bytes) throw_too_long();
  }
  while (lean && ends_with_any(result, blank)) result.erase(result.size() - blank.size());
  if (model_.dummy_prefix && model_.whitespace_suffix) result += blank;
  return result;
}

std::vector<std::int32_t> SentencePieces::ids_of(const std::vector<Cut>& cuts) const {
  std::vector<std::int32_t> ids;
  bool after_unknown = false;
  for (const Cut& cut : cuts) {
    const bool unknown = cut.id == unknown_;
    if (unknown && model_.byte_fallback) {
      for (const char c : cut.text) ids.push_back(bytes_[static_cast<unsigned char>(c)]);
    } else if (!unknown || !after_unknown) {
      ids.push_back(cut.id);
    }
    after_unknown = unknown;
  }
  return ids;
}

std::vector<std::int32_t> SentencePieces::encode(std::string_view text) const {
  const std::string normal = normalised(text);
  return ids_of(model_.bpe ? merged(normal) : likeliest(normal));
}

std::string SentencePieces::surface(std::int32_t id) const {
  const Piece& piece = model_.pieces.at(static_cast<std::size_t>(id));
  if (piece.type == PieceType::control) return {};
  if (piece.type == PieceType::unknown) return std::string(replacement_character);
  if (piece.type == PieceType::byte) return {static_cast<char>(std::stoul(piece.text.substr(3, 2), nullptr, 16))};
  std::string text = piece.text;
  for (std::size_t at = 0; (at = text.find(written_blank, at)) != std::string::npos; ++at) {
    text.replace(at, written_blank.size(), " ");
  }
  return text;
}

}  // namespace vaetl::text
