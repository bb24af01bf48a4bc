// SentencePiece models: the same ids as SentencePiece's own (tests/parity/pieces.py), models that are damaged or
// hostile, and models that travel with what they were used for.
#include "vaetl/data/text/sentencepiece.hpp"

#include <fstream>
#include <protozero/pbf_writer.hpp>
#include <sstream>

#include "tests/data/support.hpp"
#include "tests/support/expect_error.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/data/example_text.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/data/text/tokenizer.hpp"
#include "vaetl/io/base64.hpp"

namespace vaetl::pieces_test {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::Folder;
using testing::values_of;
using text::Ids;
using text::SentencePieces;
using text::TokenOptions;

const fs::path parity = "tests/parity";

std::string file_bytes(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  return bytes.str();
}

std::string model_bytes(const std::string& name) { return file_bytes(parity / ("pieces." + name + ".model")); }
SentencePieces pieces_named(const std::string& name) { return {model_bytes(name), name}; }

TEST(SentencePieces, AgreeWithPython) {
  const Json reference = parse_json(file_bytes(parity / "pieces.json"), "pieces.json");
  EXPECT_EQ(reference["models"].size(), 4U);
  for (const auto& [name, expected] : reference["models"].items()) {
    const SentencePieces pieces = pieces_named(name);
    EXPECT_EQ(pieces.size(), expected["size"]);
    EXPECT_EQ(pieces.unknown(), expected["unknown"]);
    ASSERT_EQ(reference["texts"].size(), 205U);
    for (std::size_t i = 0; i < reference["texts"].size(); ++i) {
      const auto text = reference["texts"][i].get<std::string>();
      EXPECT_EQ(pieces.encode(text), expected["ids"][i].get<Ids>()) << name << ": " << text;
    }
  }
}

// Scores of long texts leave the range where float tells them apart, unless sums begin anew.
TEST(SentencePieces, LongTextsAreCutAsShortOnes) {
  const std::string words = "the sleepy fox \u03b5\u03bb jumps over 42 xyz towns";
  const SentencePieces pieces = pieces_named("rules");
  const Ids once = pieces.encode(words);
  std::string text;
  Ids expected;
  for (int i = 0; i < 5000; ++i) {
    text += words + " ";
    expected.insert(expected.end(), once.begin(), once.end());
  }
  EXPECT_EQ(pieces.encode(text), expected);
}

TEST(SentencePieces, NormalisesAndStandsForText) {
  const SentencePieces rules = pieces_named("rules");
  EXPECT_EQ(rules.normalised("  \ufb01ne \u00a0 \uff21nts\u00ad \u2026\u2014 "), "\u2581fine\u2581Ants\u2581!");
  EXPECT_EQ(rules.normalised("a\xff"
                             "b"),
            "\u2581a\ufffdb");  // what is no UTF-8, a byte at a time
  EXPECT_EQ(pieces_named("bytes").normalised("  a  b "), "\u2581\u2581a\u2581\u2581b\u2581");
  EXPECT_EQ(pieces_named("suffix").normalised(" a  b "), "a\u2581b\u2581");
  std::string text;
  const SentencePieces bytes = pieces_named("bytes");
  for (const std::int32_t id : bytes.encode("the \u2603 snow")) text += bytes.surface(id);
  EXPECT_EQ(text, "the \u2603 snow");
  EXPECT_EQ(rules.surface(rules.unknown()), "\ufffd");
  EXPECT_EQ(rules.surface(1), "");  // <s>, a control symbol
}

TEST(SentencePieces, ATrieFindsEveryPrefix) {
  const text::PrefixTrie trie({{"b", 0}, {"a", 1}, {"abc", 2}, {"ab\xff", 3}});
  std::vector<std::pair<std::size_t, std::int32_t>> found;
  trie.walk("abcd", [&](std::size_t length, std::int32_t value) { found.emplace_back(length, value); });
  EXPECT_EQ(found, (decltype(found){{1, 1}, {3, 2}}));
  EXPECT_EQ(trie.find("ab\xff"), 3);
  EXPECT_EQ(trie.find("ab"), -1);
  EXPECT_EQ(trie.find(""), -1);
  EXPECT_EQ(trie.longest_prefix("abx"), 1U);
  EXPECT_EQ(text::PrefixTrie().find("a"), -1);
}

TEST(SentencePieces, TheTokenizerKeepsTheModel) {
  const fs::path file = fs::absolute(parity / "pieces.rules.model");
  TokenOptions options{.by = "sentencepiece", .lower = false, .model = file.filename().string()};
  const auto tokenizer = text::make_tokenizer(options, file.parent_path(), {});
  EXPECT_EQ(base64_decode(options.pieces), model_bytes("rules"));
  EXPECT_EQ(tokenizer->size(), 302);
  const Ids raw = pieces_named("rules").encode("\u2603 the");
  Ids ids, again;
  tokenizer->encode("\u2603 the", ids);
  ASSERT_EQ(ids.size(), raw.size());
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], raw[i] == 0 ? text::unknown_id : raw[i] + 2);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), text::unknown_id), 1);

  TokenOptions kept{.by = "sentencepiece", .lower = true, .pieces = options.pieces};
  text::make_tokenizer(kept, "nowhere", {})->encode("\u2603 THE", again);
  EXPECT_EQ(again, ids);
  options.model = "pieces.merges.model";
  expect_error<DataError>([&] { text::make_tokenizer(options, file.parent_path(), {}); },
                          {"pieces.merges.model", "the weights were trained with", "another"});
  options.model = "nowhere.model";
  expect_error<DataError>([&] { text::make_tokenizer(options, file.parent_path(), {}); }, {"nowhere.model"});
  kept.pieces = "no base 64!";
  expect_error<ConfigError>([&] { text::make_tokenizer(kept, {}, {}); }, {"pieces", "in base 64"});
  kept.pieces = base64_encode("other bytes");
  expect_error<DataError>([&] { text::make_tokenizer(kept, {}, {}); }, {"option `pieces`", "no such message"});
}

// What the file of a model says, made by hand.
struct Model {
  struct Entry {
    std::string text = {};
    float score = 0;
    int type = 1;
  };
  std::vector<Entry> pieces = {{"<unk>", 0, 2}, {"a", -1}};
  int kind = 1;
  bool byte_fallback = false;
  std::string replacements = {};

  std::string bytes() const {
    std::string result;
    protozero::pbf_writer writer(result);
    for (const Entry& entry : pieces) {
      protozero::pbf_writer piece(writer, 1);
      piece.add_string(1, entry.text);
      piece.add_float(2, entry.score);
      piece.add_enum(3, entry.type);
    }
    {
      protozero::pbf_writer trainer(writer, 2);
      trainer.add_enum(3, kind);
      trainer.add_bool(35, byte_fallback);
    }
    protozero::pbf_writer normalizer(writer, 3);
    if (!replacements.empty()) normalizer.add_bytes(2, replacements);
    return result;
  }
};

TEST(SentencePieces, BadModelsAreRefusedInOneLine) {
  auto refused = [](const std::string& bytes, std::string_view why) {
    expect_error<DataError>([&] { SentencePieces(bytes, "bad.model"); },
                            {"bad.model", "a SentencePiece model (unigram or BPE)", why});
  };
  using Entries = std::vector<Model::Entry>;
  EXPECT_EQ(SentencePieces(Model().bytes(), "good").encode("ab"), (Ids{0, 1, 0}));
  refused("", "an empty file");
  refused("the quick brown fox", "no such message");
  refused(std::string(2, '\0'), "no such message");
  refused(std::string(text::most_model_bytes + 1, 'a'), "more than 8388608 bytes");
  refused(model_bytes("rules").substr(0, 3000), "");
  refused(Model{.pieces = {}}.bytes(), "no pieces");
  refused(Model{.pieces = Entries{{"a", 0}}}.bytes(), "0 unknown pieces");
  refused(Model{.pieces = Entries{{"a", 0, 2}, {"b", 0, 2}}}.bytes(), "2 unknown pieces");
  refused(Model{.pieces = Entries{{"u", 0, 2}, {"", 0}}}.bytes(), "an empty piece");
  refused(Model{.pieces = Entries{{"u", 0, 2}, {"a", 0}, {"a", 1, 4}}}.bytes(), "the piece \"a\" twice");
  refused(Model{.pieces = Entries{{"u", 0, 2}, {std::string(1025, 'a'), 0}}}.bytes(), "a piece of 1025 bytes");
  refused(Model{.pieces = Entries{{"u", 0, 2}, {std::string("a\0", 2), 0}}}.bytes(), "with a byte 0");
  refused(Model{.pieces = Entries{{"u", 0, 2}, {"a", std::nanf("")}}}.bytes(), "not finite");
  refused(Model{.pieces = Entries{{"u", 0, 2}, {"<0x41>", 0, 6}}}.bytes(), "\"<0x41>\" as a byte");
  refused(Model{.pieces = Entries{{"u", 0, 2}, {"<0x41>", 0, 6}}, .byte_fallback = true}.bytes(), "1 of 256 bytes");
  refused(Model{.pieces = Entries{{"u", 0, 2}, {"<0xZZ>", 0, 6}}, .byte_fallback = true}.bytes(), "as a byte");
  refused(Model{.kind = 3}.bytes(), "one of words");
  refused(Model{.kind = 4}.bytes(), "one of characters");
  refused(Model{.kind = 9}.bytes(), "one of type 9");
}

// A table that replaces "a": 256 units, the first with its children at 0, that of "a" with its value at 0 of the texts.
std::string table_of(const std::string& replacement) {
  std::vector<std::uint32_t> units(256, 0);
  units[0] = std::uint32_t{0x10} << 10;                       // children at 0x10 ^ byte
  units[0x10 ^ 'a'] = 'a' | 0x100U | std::uint32_t{1} << 10;  // its value at (0x10 ^ 'a') ^ 1
  units[0x10 ^ 'a' ^ 1] = std::uint32_t{1} << 31;
  std::string table(4, '\0');
  table[1] = 4;  // 1024 bytes
  table.append(reinterpret_cast<const char*>(units.data()), 1024);
  return table + replacement + '\0';
}

TEST(SentencePieces, TablesThatLeadOutsideAreRefused) {
  const std::string good = table_of("bc");
  EXPECT_EQ(SentencePieces(Model{.replacements = good}.bytes(), "m").normalised("aba"), "\u2581bcbbc");
  auto refused = [](const std::string& table) {
    expect_error<DataError>([&] { SentencePieces(Model{.replacements = table}.bytes(), "bad.model"); },
                            {"bad.model", "a damaged table of normalisation"});
  };
  for (const std::size_t size : {1U, 4U, 500U, 1028U}) refused(good.substr(0, size));
  refused(good.substr(0, good.size() - 1));   // its last text has no end
  refused(table_of(std::string(1025, 'x')));  // and one that is too long
  const std::size_t leaf = 4 + 4 * (0x10 ^ 'a');
  for (const auto& [place, byte] : {std::pair<std::size_t, char>{7, '\x7f'},  // the root leads beyond the units
                                    {7, '\xaa'},                              // marked as a value besides
                                    {leaf + 2, '\x7f'},                       // a node does
                                    {leaf + 1, '\x01'},  // its value stands at itself: no place of a text
                                    {4 + 4 * (0x10 ^ 'a' ^ 1), '\x03'}}) {  // a value behind the texts
    std::string bent = good;
    bent[place] = byte;
    refused(bent);
  }
  // Whatever the texts are, what comes out is bounded.
  const SentencePieces swelling(Model{.replacements = table_of(std::string(1024, 'x'))}.bytes(), "m");
  expect_error<DataError>([&] { swelling.encode(std::string(1 << 20, 'a')); }, {"16777216 bytes after normalisation"});
}

// Every byte of a model changed once, and every length: an error or a model, never a crash.
TEST(SentencePieces, DamageIsSurvived) {
  const std::string good = model_bytes("merges");
  int refused = 0, tried = 0;
  auto attempt = [&](const std::string& bytes) {
    ++tried;
    try {
      SentencePieces(bytes, "fuzz").encode("The quick \ufb01sh <sep> jumps over \uff21nts \u2126\u00a0and fox dogs.");
    } catch (const DataError&) {
      ++refused;
    }
  };
  for (std::size_t i = 0; i < good.size(); i += 5) {
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ (0x01 << i % 8));
    attempt(changed);
    attempt(good.substr(0, i));
  }
  EXPECT_GT(refused, tried / 4);
  EXPECT_LT(refused, tried);
}

// Hostile in time: a long run of one letter, and pieces of every length up to the longest of just that letter.
TEST(SentencePieces, LongRunsTakeBoundedTime) {
  for (const int kind : {1, 2}) {
    Model model{.kind = kind};
    for (std::size_t length = 2; length <= 1024; length += kind == 1 ? 1 : length) {
      model.pieces.push_back({std::string(length, 'a'), -1.0F / static_cast<float>(length)});
    }
    const SentencePieces pieces(model.bytes(), "m");
    const Ids ids = pieces.encode(std::string(20000, 'a'));
    EXPECT_LT(ids.size(), 60U);
  }
}

TEST(SentencePieces, ReadersKeepTheModelWithTheWeights) {
  const Folder folder;
  folder.write("my.model", model_bytes("merges"));
  const fs::path train = folder.write("a.tsv", "x\tthe quick fox\ny\tlazy dogs and \u2603\n");
  const fs::path other = folder.write("elsewhere/b.tsv", "y\tthe  QUICK fox\n");
  const std::string asked = "?by=sentencepiece&model=my.model";
  const Dataset data = data::open("lines:" + train.string() + asked).train;
  const Json& spec = data.info().reader;
  EXPECT_FALSE(spec.contains("model"));
  EXPECT_EQ(base64_decode(spec["pieces"].get<std::string>()), model_bytes("merges"));
  EXPECT_EQ(data.info().fields.at("input").high, 301);
  EXPECT_EQ(data::first_texts(data, 2), (std::vector<std::string>{"the quick fox", "lazy dogs and \ufffd"}));

  // As the weights carry it: through the preprocessing's JSON, with the file gone.
  const Preprocess fitted = Preprocess::from_json(parse_json(Preprocess::fit({}, data).json().dump(), "card"));
  fs::remove(folder.path() / "my.model");
  const Dataset read = data::open("lines:" + other.string(), {.fitted = fitted.reader()}).train;
  const Dataset lower = data::open("lines:" + other.string() + "?lower=true", {.fitted = fitted.reader()}).train;
  EXPECT_NE(values_of(read.column("input")[0]), values_of(data.column("input")[0]));
  EXPECT_EQ(values_of(lower.column("input")[0]), values_of(data.column("input")[0]));
  EXPECT_EQ(values_of(read.labels()), (std::vector<std::int64_t>{1}));
  folder.write("elsewhere/my.model", model_bytes("rules"));
  expect_error<DataError>([&] { data::open("lines:" + other.string() + asked, {.fitted = fitted.reader()}); },
                          {"my.model", "the weights were trained with"});
}

TEST(SentencePieces, ALongTextInWindows) {
  const Folder folder;
  std::string plays;
  for (int i = 0; i < 50; ++i) plays += "the quick brown fox jumps over lazy dogs\n";
  const fs::path file = folder.write("plays.txt", plays);
  folder.write("m.model", model_bytes("bytes"));
  const Splits splits = data::open("text:" + file.string() + "?by=sentencepiece&model=m.model&window=8&test_share=0.5");
  Ids expected = pieces_named("bytes").encode(plays.substr(0, 100));
  const std::vector<std::int64_t> first = values_of(splits.train.column("input")[0]);
  ASSERT_EQ(first.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(first[i], expected[i] + 2);
  EXPECT_FALSE(splits.train.info().reader.contains("model"));
  EXPECT_GT(splits.test.size(), 10);
}

}  // namespace
}  // namespace vaetl::pieces_test
