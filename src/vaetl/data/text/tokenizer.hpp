// Texts as numbers. The ids of every tokenizer: 0 padding, 1 unknown, 2 begin and 3 end where `marks` are wanted, then
// the tokens.
//
// by "byte":          the 256 bytes of UTF-8;
//    "character":     the code points of the text in NFC, the most frequent of the training texts;
//    "word":          of the text in NFKC, runs of letters, digits and their marks; an apostrophe before a letter is
//                     part of a word (don't); every other visible character is a token of its own (`punctuation`), and
//                     what is invisible (soft hyphens, joiners) is dropped. Languages that are written without spaces
//                     want characters or SentencePiece;
//    "sentencepiece": the pieces of a SentencePiece model (data/text/sentencepiece.hpp): of the file `model`, whose
//    bytes
//                     are kept in `pieces` and travel with the weights.
// `ngrams` n > 1 adds all runs of 2 … n neighbours as tokens: of words (joined by a blank) or characters.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>

#include "vaetl/core/config.hpp"

namespace vaetl::text {

constexpr std::int32_t padding_id = 0, unknown_id = 1, begin_id = 2, end_id = 3;

struct TokenOptions {
  std::string by = "word";
  bool lower = true, punctuation = true, marks = false;
  std::int64_t ngrams = 1, size = 20000, min_count = 1;
  std::vector<std::string> vocabulary = {};       // of the learnt kinds; empty: to be learnt
  std::string model = {}, pieces = {};            // a SentencePiece model: its file, its bytes in base 64
  void validate(const std::string& where) const;  // ConfigError for options that do not go together
};

using Ids = std::vector<std::int32_t>;
using TakeText = std::function<void(std::string_view)>;
using Texts = std::function<void(const TakeText&)>;  // calls back with every training text

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual void encode(std::string_view text, Ids& ids) const = 0;  // appends
  virtual std::int64_t size() const = 0;                           // V: ids are 0 … V−1
};

// Learns what `options` leave open from the training texts, and fills it in; `model` is seen from `folder`. DataError
// where the texts have no token, where `model` is no SentencePiece model, or another than `pieces`.
std::unique_ptr<Tokenizer> make_tokenizer(TokenOptions& options, const std::filesystem::path& folder,
                                          const Texts& training);

// The options that readers of text share, for their fields().
template <class O>
constexpr auto token_fields() {
  return std::tuple{
      choice("by", &O::by, "what a token is", {"byte", "character", "word", "sentencepiece"}),
      field("lower", &O::lower, "fold case; by default where tokens are words"),
      field("punctuation", &O::punctuation, "keep punctuation and symbols as tokens (of words)"),
      field("size", &O::size, "most tokens that are learnt, the most frequent", between(1, 100000)),
      field("min_count", &O::min_count, "how often a token occurs at least in the training texts", at_least(1)),
      field("vocabulary", &O::vocabulary, "the tokens by id; empty: learnt from the training texts"),
      field("model", &O::model, "file of the SentencePiece model"),
      field("pieces", &O::pieces, "that model in base 64; empty: read from `model`"),
      choice("encoding", &O::encoding, "of the files; auto: latin-1 where they are not UTF-8",
             {"auto", "utf-8", "latin-1"})};
}

template <class O>
TokenOptions token_options(const O& options) {
  TokenOptions result;
  result.by = options.by;
  result.lower = options.lower.value_or(options.by == "word");
  result.punctuation = options.punctuation;
  result.size = options.size;
  result.min_count = options.min_count;
  result.vocabulary = options.vocabulary;
  result.model = options.model;
  result.pieces = options.pieces;
  return result;
}

template <class O>
void complete(O& options, const TokenOptions& learnt) {
  options.lower = learnt.lower;
  options.vocabulary = learnt.vocabulary;
  options.pieces = learnt.pieces;
}

}  // namespace vaetl::text
