// Text as the pieces of a SentencePiece model, by a reader of our own: the same ids as those of SentencePiece 0.2.3 (to
// 0.2.1 it rounds otherwise, and may choose another of two ways whose scores are equal: of "ffff", say).
//
// Text is normalised (the model's replacements, the longest first; runs of blanks become one; a blank is put in front
// and written as ▁), then cut: into the pieces whose scores, logarithms of probabilities, have the largest sum
// (unigram, Kudo 2018, arXiv:1804.10959), or by merging the pair with the best score as long as there is one (BPE,
// Sennrich et al. 2016, arXiv:1508.07909). A user's symbols are never cut; control symbols are no text, and never found
// in one; unknown characters are bytes (byte_fallback) or, each run of them, one unknown piece. Kudo and Richardson
// 2018, arXiv:1808.06226. Encoding is safe in several threads.
//
//   const SentencePieces pieces(read_file("my.model"), "my.model");
//   pieces.encode("Hello world.");
#pragma once
#include <array>

#include "vaetl/data/text/pieces_model.hpp"
#include "vaetl/data/text/prefix_trie.hpp"
#include "vaetl/data/text/replacement_table.hpp"

namespace vaetl::text {

class SentencePieces {
 public:
  SentencePieces(std::string_view model, const std::string& where);  // DataError as of parse_pieces_model()
  static SentencePieces from_base64(std::string_view model);         // ConfigError where it is no base 64
  // DataError for a text that is longer than 16 MiB after normalisation.
  std::vector<std::int32_t> encode(std::string_view text) const;
  std::string normalised(std::string_view text) const;
  std::int64_t size() const { return static_cast<std::int64_t>(model_.pieces.size()); }
  std::int32_t unknown() const { return unknown_; }
  std::string surface(std::int32_t id) const;  // the text that a piece stands for; nothing for control symbols

 private:
  struct Cut {
    std::string_view text;
    std::int32_t id;
  };
  // How a text goes on: what comes next in normal form, and how many bytes of it that takes.
  struct Step {
    std::string_view normal;
    std::size_t taken;
  };
  Step step(std::string_view text) const;
  std::vector<Cut> likeliest(std::string_view normal) const;
  std::vector<Cut> merged(std::string_view normal) const;
  std::vector<std::int32_t> ids_of(const std::vector<Cut>& cuts) const;
  PieceType type(std::int32_t id) const { return model_.pieces[static_cast<std::size_t>(id)].type; }
  float score(std::int32_t id) const { return model_.pieces[static_cast<std::size_t>(id)].score; }

  PiecesModel model_;
  ReplacementTable replacements_;
  PrefixTrie pieces_, symbols_;  // normal, unused and a user's; a user's alone
  std::array<std::int32_t, 256> bytes_ = {};
  std::int32_t unknown_ = 0;
  float least_ = 0;  // score of a normal piece
};

}  // namespace vaetl::text
