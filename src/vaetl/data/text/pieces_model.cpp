#include "vaetl/data/text/pieces_model.hpp"

#include <bitset>
#include <charconv>
#include <protozero/pbf_reader.hpp>
#include <unordered_set>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/text/replacement_table.hpp"

namespace vaetl::text {
namespace {

using protozero::pbf_reader;
using protozero::tag_and_type;
using protozero::pbf_wire_type::fixed32;
using protozero::pbf_wire_type::length_delimited;
using protozero::pbf_wire_type::varint;

constexpr std::size_t longest_piece = 1024;  // bytes; those that are learnt have 16 characters at most

// Fields of the wrong wire type are skipped, as unknown ones are.
Piece read_piece(pbf_reader message) {
  Piece piece;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case tag_and_type(1, length_delimited):
        piece.text = message.get_string();
        break;
      case tag_and_type(2, fixed32):
        piece.score = message.get_float();
        break;
      case tag_and_type(3, varint):
        if (const auto type = message.get_enum(); type >= 1 && type <= 6) piece.type = static_cast<PieceType>(type);
        break;
      default:
        message.skip();
    }
  }
  return piece;
}

void read_trainer(pbf_reader message, PiecesModel& model, std::int32_t& kind) {
  while (message.next()) {
    switch (message.tag_and_type()) {
      case tag_and_type(3, varint):
        kind = message.get_enum();
        break;
      case tag_and_type(24, varint):
        model.whitespace_suffix = message.get_bool();
        break;
      case tag_and_type(35, varint):
        model.byte_fallback = message.get_bool();
        break;
      default:
        message.skip();
    }
  }
}

void read_normalizer(pbf_reader message, PiecesModel& model) {
  while (message.next()) {
    switch (message.tag_and_type()) {
      case tag_and_type(2, length_delimited):
        model.replacements = message.get_string();
        break;
      case tag_and_type(3, varint):
        model.dummy_prefix = message.get_bool();
        break;
      case tag_and_type(4, varint):
        model.remove_extra_whitespaces = message.get_bool();
        break;
      case tag_and_type(5, varint):
        model.escape_whitespaces = message.get_bool();
        break;
      default:
        message.skip();
    }
  }
}

std::int32_t read_model(pbf_reader message, PiecesModel& model) {
  std::int32_t kind = 1;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case tag_and_type(1, length_delimited):
        model.pieces.push_back(read_piece(message.get_message()));
        break;
      case tag_and_type(2, length_delimited):
        read_trainer(message.get_message(), model, kind);
        break;
      case tag_and_type(3, length_delimited):
        read_normalizer(message.get_message(), model);
        break;
      default:
        message.skip();
    }
  }
  return kind;
}

// The byte that "<0x41>" spells; −1 where the text is no such piece.
int byte_of(std::string_view text) {
  int byte = -1;
  if (text.size() != 6 || !text.starts_with("<0x") || text.back() != '>') return -1;
  const auto [end, error] = std::from_chars(text.data() + 3, text.data() + 5, byte, 16);
  return error == std::errc() && end == text.data() + 5 ? byte : -1;
}

std::string flaw_of_piece(const Piece& piece, bool byte_fallback) {
  if (piece.text.empty()) return "an empty piece";
  if (piece.text.size() > longest_piece) return fmt::format("a piece of {} bytes", piece.text.size());
  const std::string name = "the piece " + quote(piece.text);
  if (piece.text.find('\0') != std::string::npos) return name + " with a byte 0";
  if (!std::isfinite(piece.score)) return name + " with a score that is not finite";
  if (piece.type == PieceType::byte && (!byte_fallback || byte_of(piece.text) < 0)) return name + " as a byte";
  return {};
}

bool is_reserved(PieceType type) {
  return type == PieceType::unknown || type == PieceType::control || type == PieceType::byte;
}

std::string flaw_of_pieces(const PiecesModel& model) {
  if (model.pieces.empty()) return "no pieces";
  std::unordered_set<std::string_view> ordinary, reserved;
  std::bitset<256> bytes;
  std::int64_t unknown = 0;
  for (const Piece& piece : model.pieces) {
    if (std::string flaw = flaw_of_piece(piece, model.byte_fallback); !flaw.empty()) return flaw;
    auto& names = is_reserved(piece.type) ? reserved : ordinary;
    if (!names.insert(piece.text).second) return "the piece " + quote(piece.text) + " twice";
    unknown += piece.type == PieceType::unknown ? 1 : 0;
    if (piece.type == PieceType::byte) bytes.set(static_cast<std::size_t>(byte_of(piece.text)));
  }
  if (unknown != 1) return fmt::format("{} unknown pieces instead of one", unknown);
  if (model.byte_fallback && !bytes.all()) return fmt::format("pieces for {} of 256 bytes", bytes.count());
  return {};
}

std::string flaw_of(const PiecesModel& model, std::int32_t kind) {
  if (kind != 1 && kind != 2) {
    return kind == 3 ? "one of words" : kind == 4 ? "one of characters" : fmt::format("one of type {}", kind);
  }
  if (!model.replacements.empty() && !ReplacementTable::is_whole(model.replacements)) {
    return "a damaged table of normalisation";
  }
  return flaw_of_pieces(model);
}

}  // namespace

PiecesModel parse_pieces_model(std::string_view bytes, const std::string& where) {
  auto refuse = [&](std::string found) {
    throw DataError({where, "a SentencePiece model (unigram or BPE)", std::move(found), {}});
  };
  if (bytes.empty()) refuse("an empty file");
  if (bytes.size() > most_model_bytes) refuse(fmt::format("more than {} bytes", most_model_bytes));
  PiecesModel model;
  std::int32_t kind = 0;
  try {
    kind = read_model(pbf_reader(bytes.data(), bytes.size()), model);
  } catch (const protozero::exception&) {
    refuse("bytes that are no such message");
  }
  if (std::string flaw = flaw_of(model, kind); !flaw.empty()) refuse(std::move(flaw));
  model.bpe = kind == 2;
  return model;
}

}  // namespace vaetl::text
