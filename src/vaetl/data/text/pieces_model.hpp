// What the file of a SentencePiece model says: a protocol-buffer message (sentencepiece_model.proto) of pieces, of how
// text is cut into them, and of how it is normalised before. The file is data that anyone may have made: every size and
// place in it is checked here, so that whoever uses the model need not.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vaetl::text {

enum class PieceType { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

struct Piece {
  std::string text = {};
  float score = 0;
  PieceType type = PieceType::normal;
};

struct PiecesModel {
  std::vector<Piece> pieces = {};  // by id; exactly one is unknown, and with byte_fallback each byte has one
  bool bpe = false;                // merges of pairs; otherwise the likeliest pieces (unigram)
  bool byte_fallback = false;      // what is unknown becomes its bytes
  // Of the normalisation:
  std::string replacements = {};  // a ReplacementTable, or none
  bool dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true, whitespace_suffix = false;
};

constexpr std::size_t most_model_bytes = std::size_t{8} << 20;

// DataError where the bytes are no such model, damaged, of a type other than unigram and BPE, or too large; `where`
// begins the message.
PiecesModel parse_pieces_model(std::string_view bytes, const std::string& where);

}  // namespace vaetl::text
