#include "vaetl/data/text/tokenizer.hpp"

#include <utf8proc.h>

#include <deque>

#include "vaetl/core/text.hpp"
#include "vaetl/data/text/sentencepiece.hpp"
#include "vaetl/data/text/unicode.hpp"
#include "vaetl/data/text/vocabulary.hpp"
#include "vaetl/io/base64.hpp"
#include "vaetl/io/gzip.hpp"

namespace vaetl::text {
namespace {

std::int32_t first_id(const TokenOptions& options) { return options.marks ? end_id + 1 : unknown_id + 1; }

bool is_learnt(const std::string& by) { return by == "character" || by == "word"; }

enum class Kind { letter, mark, apostrophe, symbol, space, ignored };

Kind kind_of(std::int32_t code) {
  if (code == '\'' || code == 0x2019) return Kind::apostrophe;
  if (code == 0x200b) return Kind::space;  // the zero-width space parts words, other invisible characters do not
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return Kind::letter;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return Kind::mark;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
      return Kind::space;
    case UTF8PROC_CATEGORY_CF:
      return Kind::ignored;
    default:
      return Kind::symbol;
  }
}

bool begins_with_letter(std::string_view rest) {
  Character next;
  return next_character(rest, next) && kind_of(next.code) == Kind::letter;
}

void take_words(std::string_view text, bool punctuation, const TakeText& take) {
  std::string word;
  auto end_word = [&] {
    if (!word.empty()) take(word);
    word.clear();
  };
  for (Character c; next_character(text, c);) {
    const Kind kind = kind_of(c.code);
    if (kind == Kind::letter || (kind == Kind::mark && !word.empty())) {
      word += c.bytes;
    } else if (kind == Kind::apostrophe && !word.empty() && begins_with_letter(text)) {
      word += '\'';
    } else if (kind == Kind::symbol || kind == Kind::apostrophe) {
      end_word();
      if (punctuation) take(kind == Kind::apostrophe ? "'" : c.bytes);
    } else if (kind == Kind::space) {
      end_word();
    }
  }
  end_word();
}

void take_characters(std::string_view text, const TakeText& take) {
  for (Character c; next_character(text, c);) take(c.bytes);
}

// Every token, and after it the runs of 2 … n tokens that end with it.
class Grams {
 public:
  Grams(std::int64_t n, std::string separator, const TakeText& take)
      : most_(static_cast<std::size_t>(n)), separator_(std::move(separator)), take_(take) {}
  void add(std::string_view token) {
    take_(token);
    last_.emplace_front(token);
    if (last_.size() > most_) last_.pop_back();
    std::string run(token);
    for (std::size_t i = 1; i < last_.size(); ++i) {
      run.insert(0, last_[i] + separator_);
      take_(run);
    }
  }

 private:
  std::size_t most_;
  std::string separator_;
  const TakeText& take_;
  std::deque<std::string> last_;
};

void take_tokens(const TokenOptions& options, std::string_view text, const TakeText& take) {
  const bool words = options.by == "word";
  const std::string clean = normalise(text, words ? Form::nfkc : Form::nfc, options.lower);
  Grams grams(options.ngrams, words ? " " : "", take);
  const TakeText each = options.ngrams > 1 ? TakeText([&](std::string_view token) { grams.add(token); }) : take;
  words ? take_words(clean, options.punctuation, each) : take_characters(clean, each);
}

class Bytes final : public Tokenizer {
 public:
  explicit Bytes(const TokenOptions& options) : first_(first_id(options)), lower_(options.lower) {}
  void encode(std::string_view text, Ids& ids) const override {
    for (const char c : normalise(text, Form::as_it_stands, lower_))
      ids.push_back(first_ + static_cast<unsigned char>(c));
  }
  std::int64_t size() const override { return first_ + 256; }

 private:
  std::int32_t first_;
  bool lower_;
};

class Learnt final : public Tokenizer {
 public:
  explicit Learnt(const TokenOptions& options)
      : options_(options), first_(first_id(options)), vocabulary_(options.vocabulary) {}
  void encode(std::string_view text, Ids& ids) const override {
    take_tokens(options_, text, [&](std::string_view token) {
      const auto place = static_cast<std::int32_t>(vocabulary_.find(token));
      ids.push_back(place < 0 ? unknown_id : first_ + place);
    });
  }
  std::int64_t size() const override { return first_ + vocabulary_.size(); }

 private:
  TokenOptions options_;
  std::int32_t first_;
  Vocabulary vocabulary_;
};

// Longer runs of letters are no words; a vocabulary must stay small enough for a card.
constexpr std::size_t longest_learnt = 128;

std::vector<std::string> learn(const TokenOptions& options, const Texts& training) {
  TokenCounts counts;
  training([&](std::string_view text) {
    take_tokens(options, text, [&](std::string_view token) {
      if (token.size() <= longest_learnt) counts.add(token);
    });
  });
  auto tokens = counts.frequent(options.size, options.min_count);
  if (!tokens.empty()) return tokens;
  throw DataError({"vocabulary",
                   fmt::format("tokens that occur at least {} times in the training texts", options.min_count),
                   "none",
                   {}});
}

class Pieces final : public Tokenizer {
 public:
  Pieces(const TokenOptions& options, SentencePieces pieces)
      : first_(first_id(options)), lower_(options.lower), pieces_(std::move(pieces)) {}
  void encode(std::string_view text, Ids& ids) const override {
    for (const std::int32_t piece : pieces_.encode(normalise(text, Form::as_it_stands, lower_))) {
      ids.push_back(piece == pieces_.unknown() ? unknown_id : first_ + piece);
    }
  }
  std::int64_t size() const override { return first_ + pieces_.size(); }

 private:
  std::int32_t first_;
  bool lower_;
  SentencePieces pieces_;
};

std::unique_ptr<Tokenizer> make_pieces(TokenOptions& options, const std::filesystem::path& folder) {
  if (options.model.empty()) return std::make_unique<Pieces>(options, SentencePieces::from_base64(options.pieces));
  const std::filesystem::path file = folder / options.model;
  const std::string bytes = read_maybe_gzip(file, most_model_bytes);
  auto tokenizer = std::make_unique<Pieces>(options, SentencePieces(bytes, file.string()));
  const std::string pieces = base64_encode(bytes);
  if (!options.pieces.empty() && options.pieces != pieces) {
    throw DataError({file.string(), "the SentencePiece model that the weights were trained with", "another",
                     "leave option `model` out: that one is kept with the weights"});
  }
  options.pieces = pieces;
  return tokenizer;
}

}  // namespace

void TokenOptions::validate(const std::string& where) const {
  const TokenOptions defaults;
  auto refuse = [&](const char* option, const char* expected, std::string found) {
    throw ConfigError({where + "." + option, expected, std::move(found), {}});
  };
  const std::string kind = quote(by);
  if (!is_learnt(by)) {
    if (ngrams > 1) refuse("ngrams", "1, or tokens that are words or characters", "by " + kind);
    if (size != defaults.size) refuse("size", "tokens that are learnt: words or characters", "by " + kind);
    if (min_count != defaults.min_count)
      refuse("min_count", "tokens that are learnt: words or characters", "by " + kind);
    if (!vocabulary.empty()) refuse("vocabulary", "tokens that are words or characters", "by " + kind);
  }
  if (by != "word" && !punctuation) refuse("punctuation", "true, or tokens that are words", "by " + kind);
  if (by != "sentencepiece" && !model.empty()) refuse("model", "by \"sentencepiece\"", "by " + kind);
  if (by != "sentencepiece" && !pieces.empty()) refuse("pieces", "by \"sentencepiece\"", "by " + kind);
  if (by == "sentencepiece" && model.empty() && pieces.empty()) {
    refuse("model", "the file of a SentencePiece model", "none");
  }
}

std::unique_ptr<Tokenizer> make_tokenizer(TokenOptions& options, const std::filesystem::path& folder,
                                          const Texts& training) {
  if (options.by == "byte") return std::make_unique<Bytes>(options);
  if (options.by == "sentencepiece") return make_pieces(options, folder);
  if (options.vocabulary.empty()) options.vocabulary = learn(options, training);
  return std::make_unique<Learnt>(options);
}

}  // namespace vaetl::text
