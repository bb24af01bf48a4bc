// Characters, words, vocabularies and bags. References: tests/parity/text.py.
#include <ATen/ATen.h>

#include <fstream>
#include <sstream>

#include "tests/data/support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/data/text/tokenizer.hpp"
#include "vaetl/data/text/unicode.hpp"
#include "vaetl/data/text/vocabulary.hpp"
#include "vaetl/data/transforms/bag.hpp"

namespace vaetl::text {
namespace {

using testing::expect_error;
namespace fs = std::filesystem;
using transforms::Bag;
using Strings = std::vector<std::string>;

const fs::path parity = "tests/parity";

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  return bytes.str();
}

const Json& reference() {
  static const Json json = parse_json(bytes_of(parity / "text.json"), "text.json");
  return json;
}

// The tokens of a text: a vocabulary learnt from it alone, then its ids back to tokens.
Strings tokens_of(const std::string& text, TokenOptions options) {
  options.size = 100000;
  auto tokenizer = [&] {
    try {
      return make_tokenizer(options, {}, [&](const TakeText& take) { take(text); });
    } catch (const DataError&) {
      return std::unique_ptr<Tokenizer>();  // it has none
    }
  }();
  Strings tokens;
  Ids ids;
  if (tokenizer) tokenizer->encode(text, ids);
  for (const std::int32_t id : ids) tokens.push_back(options.vocabulary.at(static_cast<std::size_t>(id) - 2));
  return tokens;
}

TEST(Unicode, FormsAgreeWithPython) {
  for (const Json& item : reference()["cases"]) {
    const auto text = item["text"].get<std::string>();
    EXPECT_EQ(normalise(text, Form::nfc, false), item["nfc"]) << text;
    EXPECT_EQ(normalise(text, Form::nfkc, false), item["nfkc"]) << text;
    EXPECT_EQ(normalise(text, Form::nfc, true), item["nfc_folded"]) << text;
    EXPECT_EQ(normalise(text, Form::nfkc, true), item["nfkc_folded"]) << text;
    EXPECT_EQ(normalise(text, Form::as_it_stands, false), text);
  }
}

TEST(Tokenizer, WordsAgreeWithPython) {
  for (const Json& item : reference()["cases"]) {
    const auto text = item["text"].get<std::string>();
    EXPECT_EQ(tokens_of(text, {.by = "word"}), item["words"].get<Strings>()) << text;
    EXPECT_EQ(tokens_of(text, {.by = "word", .lower = false}), item["words_as_written"].get<Strings>()) << text;
    EXPECT_EQ(tokens_of(text, {.by = "word", .punctuation = false}), item["words_alone"].get<Strings>()) << text;
    EXPECT_EQ(tokens_of(text, {.by = "word", .ngrams = 3}), item["trigrams"].get<Strings>()) << text;
    EXPECT_EQ(tokens_of(text, {.by = "character", .ngrams = 2}), item["bigrams_of_characters"].get<Strings>()) << text;
  }
}

TEST(Tokenizer, BytesNeedNoVocabulary) {
  TokenOptions options{.by = "byte", .lower = false};
  const auto tokenizer = make_tokenizer(options, {}, [](const TakeText&) { FAIL() << "it learns"; });
  Ids ids;
  tokenizer->encode("aé", ids);
  EXPECT_EQ(ids, (Ids{2 + 'a', 2 + 0xc3, 2 + 0xa9}));
  EXPECT_EQ(tokenizer->size(), 258);
  options.lower = options.marks = true;
  ids.clear();
  make_tokenizer(options, {}, {})->encode("A", ids);
  EXPECT_EQ(ids, Ids{4 + 'a'});
}

TEST(Tokenizer, UnknownTokensAreOne) {
  TokenOptions options{.vocabulary = {"b", "a"}};
  const auto tokenizer = make_tokenizer(options, {}, [](const TakeText&) { FAIL() << "it learns anew"; });
  Ids ids;
  tokenizer->encode("A c B", ids);
  EXPECT_EQ(ids, (Ids{3, 1, 2}));
  EXPECT_EQ(tokenizer->size(), 4);
}

TEST(Tokenizer, OptionsMustGoTogether) {
  auto check = [](TokenOptions options) { options.validate("lines"); };
  expect_error<ConfigError>([&] { check({.by = "byte", .ngrams = 2}); }, {"lines.ngrams", "by \"byte\""});
  expect_error<ConfigError>([&] { check({.by = "byte", .size = 5}); }, {"lines.size", "words or characters"});
  expect_error<ConfigError>([&] { check({.by = "byte", .min_count = 2}); }, {"lines.min_count"});
  expect_error<ConfigError>([&] { check({.by = "byte", .vocabulary = {"a"}}); }, {"lines.vocabulary"});
  expect_error<ConfigError>([&] { check({.by = "character", .punctuation = false}); }, {"lines.punctuation"});
  expect_error<ConfigError>([&] { check({.by = "word", .model = "m"}); }, {"lines.model", "by \"word\""});
  expect_error<ConfigError>([&] { check({.by = "word", .pieces = "m"}); }, {"lines.pieces", "by \"word\""});
  expect_error<ConfigError>([&] { check({.by = "sentencepiece"}); }, {"lines.model", "file of a SentencePiece model"});
  expect_error<ConfigError>([&] { check({.by = "sentencepiece", .ngrams = 2, .model = "m"}); }, {"lines.ngrams"});
}

TEST(Vocabulary, KeepsTheMostFrequent) {
  TokenCounts counts;
  for (const char* token : {"c", "a", "b", "a", "b", "d", "e", "e", "e"}) counts.add(token);
  EXPECT_EQ(counts.frequent(10, 1), (Strings{"e", "a", "b", "c", "d"}));
  EXPECT_EQ(counts.frequent(2, 1), (Strings{"e", "a"}));
  EXPECT_EQ(counts.frequent(10, 3), (Strings{"e"}));
  EXPECT_EQ(counts.frequent(10, 4), Strings{});
  const Vocabulary vocabulary({"x", "y"});
  EXPECT_EQ(vocabulary.find("y"), 1);
  EXPECT_EQ(vocabulary.find("z"), -1);
  expect_error<ConfigError>([] { Vocabulary({"x", "y", "x"}); }, {"every token once", "\"x\" twice"});
}

// A hundred thousand different tokens in a table of at most a thousand: the frequent ones keep their counts.
TEST(Vocabulary, ForgetsTheRarestWhereThereAreTooMany) {
  TokenCounts counts(1000);
  for (int i = 0; i < 100000; ++i) {
    counts.add("rare " + std::to_string(i));
    if (i % 10 == 0) counts.add("often");
    if (i % 100 == 0) counts.add("sometimes");
  }
  EXPECT_EQ(counts.frequent(2, 1000), (Strings{"often", "sometimes"}));
  EXPECT_LE(counts.frequent(1000000, 1).size(), 1001U);
}

TEST(Vocabulary, MustNotBeEmpty) {
  TokenOptions options{.min_count = 2};
  expect_error<DataError>([&] { make_tokenizer(options, {}, [](const TakeText& take) { take("a b"); }); },
                          {"vocabulary", "at least 2 times", "found none"});
}

Fields ids_of(std::vector<std::int64_t> values, std::int64_t texts) {
  Fields fields;
  fields.set("input", at::tensor(values, at::kLong).view({texts, -1}));
  return fields;
}

at::Tensor bag_of(const Bag& bag, Fields fields) {
  at::Generator none;
  bag.apply(fields, none);
  EXPECT_FALSE(fields.has("length"));
  return fields.input();
}

at::Tensor floats(std::vector<float> values, std::int64_t rows) {
  return at::tensor(values, at::kFloat).view({rows, -1});
}

TEST(Bag, CountsWithoutPadding) {
  Fields texts = ids_of({2, 3, 2, 0, 1, 0, 0, 0}, 2);
  EXPECT_TRUE(at::equal(bag_of(Bag({.size = 4}), texts), floats({0, 0, 2, 1, 0, 1, 0, 0}, 2)));
  EXPECT_TRUE(at::equal(bag_of(Bag({.values = "binary", .size = 4}), texts), floats({0, 0, 1, 1, 0, 1, 0, 0}, 2)));
  EXPECT_TRUE(at::allclose(bag_of(Bag({.values = "log", .size = 4}), texts),
                           floats({0, 0, std::log(3.0f), std::log(2.0f), 0, std::log(2.0f), 0, 0}, 2)));
  const float root = std::sqrt(5.0f);
  EXPECT_TRUE(at::allclose(bag_of(Bag({.normalise = true, .size = 4}), texts),
                           floats({0, 0, 2 / root, 1 / root, 0, 1, 0, 0}, 2)));
  texts.set("length", testing::long_tensor({2, 1}));  // what stands behind a text's end does not count
  EXPECT_TRUE(at::equal(bag_of(Bag({.size = 4}), texts), floats({0, 0, 1, 1, 0, 1, 0, 0}, 2)));
  // An id beyond V is unknown; a text of nothing is a zero, also after division by its length.
  EXPECT_TRUE(at::equal(bag_of(Bag({.size = 3}), ids_of({2, 9, 7}, 1)), floats({0, 2, 1}, 1)));
  EXPECT_TRUE(at::equal(bag_of(Bag({.normalise = true, .size = 3}), ids_of({0, 0}, 1)), floats({0, 0, 0}, 1)));
}

// idf by hand: 3 texts; token 2 stands in all, 3 in one, 4 in none.
TEST(Bag, FitsTheWeightsOfTokens) {
  Fields fields = ids_of({2, 2, 2, 3, 2, 0}, 3);
  fields.set("input", fields.input().to(at::kInt));
  DatasetInfo info;
  info.fields["input"] = {{2}, at::kInt, 0, 4};
  const Dataset train = Dataset::from_tensors(fields, info);
  EXPECT_EQ(Bag({}).fit(train)["size"], 5);
  EXPECT_EQ(Bag({}).fit(Dataset::from_tensors(fields))["size"], 4);  // no ids declared: the largest tells
  const Json fitted = Bag({.idf = true}).fit(train);
  const auto weights = fitted["weights"].get<std::vector<double>>();
  ASSERT_EQ(weights.size(), 5U);
  EXPECT_DOUBLE_EQ(weights[2], 1);
  EXPECT_DOUBLE_EQ(weights[3], std::log(4.0 / 2) + 1);
  EXPECT_DOUBLE_EQ(weights[4], std::log(4.0) + 1);
  const auto bag = registry<Transform>().make({"bag", fitted});
  at::Generator none;
  bag->apply(fields, none);
  const auto rare = static_cast<float>(std::log(2.0) + 1);
  EXPECT_TRUE(at::allclose(fields.input(), floats({0, 0, 2, 0, 0, 0, 0, 1, rare, 0, 0, 0, 1, 0, 0}, 3)));
}

TEST(Bag, Errors) {
  testing::expect_fields_cover<Bag::Options>();
  expect_error<ConfigError>([] { bag_of(Bag({}), ids_of({1}, 1)); }, {"bag", "fit it as preprocessing"});
  expect_error<ConfigError>([] { Bag({.size = 2, .weights = {1, 1}}); }, {"bag.weights", "none without idf", "2"});
  expect_error<ConfigError>([] { Bag({.idf = true, .size = 2, .weights = {1}}); }, {"one for each of 2 tokens", "1"});
  Fields floats_in;
  floats_in.set("input", at::zeros({2, 3}));
  expect_error<DataError>([&] { bag_of(Bag({.size = 2}), floats_in); }, {"token ids (N, T)", "float32"});
}

}  // namespace
}  // namespace vaetl::text
