// The readers of text: layouts, labels, encodings, what is learnt from which rows, damaged files, the real sets.
#include <ATen/ATen.h>

#include <fstream>

#include "tests/data/support.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/fields_cover.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/readers/lines.hpp"
#include "vaetl/data/readers/text.hpp"

namespace vaetl::lines_test {
namespace {

using testing::expect_error;
namespace fs = std::filesystem;
using testing::Folder;
using testing::values_of;
using Ints = std::vector<std::int64_t>;
using Strings = std::vector<std::string>;

Splits open(const std::string& kind, const fs::path& path, const std::string& options = "", Reading reading = {}) {
  return data::open(kind + ":" + path.string() + (options.empty() ? "" : "?" + options), reading);
}

// What was left out, as lines.
struct Heard {
  Strings lines = {};
  Reading reading() {
    return {.skipped = [this](const Problem& p) { lines.push_back(DataError(p).what()); }};
  }
};

Ints counts_of(const Dataset& data) { return values_of(at::bincount(data.labels())); }

// The tokens of example i, by the vocabulary that the data carry.
Strings tokens_of(const Dataset& data, std::int64_t i) {
  const auto vocabulary = data.info().reader["vocabulary"].get<Strings>();
  const Ints ids = values_of(data.column("input")[i]);
  Strings tokens;
  for (std::int64_t t = 0; t < data.column("length")[i].item<std::int64_t>(); ++t) {
    tokens.push_back(ids[t] == 1 ? "?" : vocabulary.at(ids[t] - 2));
  }
  return tokens;
}

TEST(Lines, LabelTabText) {
  const Folder folder;
  const auto file = folder.write("a.tsv", "ham\tSee you there\r\n\nspam\tWIN you \"win\"\n ham \t you\tthere \n");
  const Dataset train = open("lines", file).train;
  EXPECT_EQ(train.info().classes, (Strings{"ham", "spam"}));
  EXPECT_EQ(values_of(train.labels()), (Ints{0, 1, 0}));
  EXPECT_EQ(values_of(train.column("length")), (Ints{3, 5, 2}));
  EXPECT_EQ(train.column("input").scalar_type(), at::kInt);
  EXPECT_EQ(train.column("input").sizes().vec(), (Ints{3, 5}));
  // By frequency, then by bytes: you 3; " 2, there 2, win 2; see 1.
  EXPECT_EQ(train.info().reader["vocabulary"].get<Strings>(), (Strings{"you", "\"", "there", "win", "see"}));
  EXPECT_EQ(values_of(train.column("input")), (Ints{6, 2, 4, 0, 0, 5, 2, 3, 5, 3, 2, 4, 0, 0, 0}));
  EXPECT_EQ(train.info().fields.at("input").high, 6);
  EXPECT_EQ(train.info().reader["separator"], "tab");
  EXPECT_EQ(train.info().sha256.size(), 64U);
}

TEST(Lines, Layouts) {
  const Folder folder;
  const auto numbered = folder.write("q.all", "10 how far\n2 who was\n10 why\n");
  Dataset train = open("lines", numbered).train;
  EXPECT_EQ(train.info().classes, (Strings{"2", "10"}));
  EXPECT_EQ(values_of(train.labels()), (Ints{1, 0, 1}));
  EXPECT_EQ(tokens_of(train, 0), (Strings{"how", "far"}));

  const auto fine = folder.write("q.raw", "NUM:dist how far\nHUM:desc who\nNUM:count many\n");
  EXPECT_EQ(open("lines", fine, "separator=space").train.info().classes,
            (Strings{"HUM:desc", "NUM:count", "NUM:dist"}));
  EXPECT_EQ(open("lines", fine, "separator=space&label_until=:").train.info().classes, (Strings{"HUM", "NUM"}));
  train = open("lines", fine).train;
  EXPECT_FALSE(train.has("target"));
  EXPECT_EQ(tokens_of(train, 1), (Strings{"hum", ":", "desc", "who"}));

  const auto news = folder.write("news.csv", "\"3\",\"Title, one\",\"a \"\"b\"\"\"\n\"1\",two,c\n");
  train = open("lines", news).train;
  EXPECT_EQ(train.info().classes, (Strings{"1", "3"}));
  EXPECT_EQ(tokens_of(train, 0), (Strings{"title", ",", "one", "a", "\"", "b", "\""}));
  EXPECT_EQ(tokens_of(open("lines", news, "text=[2]").train, 1), (Strings{"c"}));

  const auto named = folder.write("named.csv.gz", gzip_compress("id,body,kind\n1,good day,x\n2,bad day,y\n"));
  train = open("lines", named, "target=kind&text=[\"body\"]").train;
  EXPECT_EQ(train.info().classes, (Strings{"x", "y"}));
  EXPECT_EQ(tokens_of(train, 1), (Strings{"bad", "day"}));
  EXPECT_FALSE(open("lines", named, "labels=false&text=[1]&header=true").train.has("target"));
  expect_error<DataError>([&] { open("lines", named, "target=kinds"); }, {"named.csv.gz", "\"kinds\"", "\"kind\""});
}

TEST(Lines, OptionsChangeTheTokens) {
  const Folder folder;
  const auto file = folder.write("t.txt", "One two two three\none, TWO\n!\n");
  EXPECT_EQ(tokens_of(open("lines", file, "lower=false").train, 0), (Strings{"One", "two", "two", "three"}));
  EXPECT_EQ(tokens_of(open("lines", file, "min_count=2").train, 0), (Strings{"one", "two", "two", "?"}));
  EXPECT_EQ(tokens_of(open("lines", file, "size=1").train, 1), (Strings{"?", "?", "two"}));
  EXPECT_EQ(tokens_of(open("lines", file, "ngrams=2").train, 1), (Strings{"one", ",", "one ,", "two", ", two"}));
  const Dataset alone = open("lines", file, "punctuation=false").train;
  EXPECT_EQ(tokens_of(alone, 2), (Strings{"?"}));  // a text without tokens is one unknown
  const Dataset cut = open("lines", file, "length=2").train;
  EXPECT_EQ(values_of(cut.column("length")), (Ints{2, 2, 1}));
  EXPECT_EQ(cut.column("input").size(1), 2);
  const Dataset marked = open("lines", file, "marks=true&length=4&by=byte").train;
  EXPECT_EQ(values_of(marked.column("input")[0]), (Ints{2, 4 + 'O', 4 + 'n', 3}));
  EXPECT_EQ(values_of(marked.column("input")[2]), (Ints{2, 4 + '!', 3, 0}));
  EXPECT_EQ(open("lines", file, "by=character").train.column("length").max().item<std::int64_t>(), 17);
}

TEST(Lines, FurtherFilesAreReadAlike) {
  const Folder folder;
  const auto file = folder.write("train.tsv", "b\tone two three four\na\tone two\na\tone\n");
  const Dataset train = open("lines", file, "by=word&size=3").train;
  const Json fitted = parse_json(train.info().reader.dump(), "model.json");
  EXPECT_EQ(fitted["name"], "lines");
  for (const char* key : {"test", "validation", "test_share"}) EXPECT_FALSE(fitted.contains(key)) << key;

  const auto again = open("lines", file, "", {.fitted = fitted}).train;
  EXPECT_TRUE(at::equal(again.column("input"), train.column("input")));
  EXPECT_TRUE(at::equal(again.labels(), train.labels()));
  EXPECT_EQ(again.info().reader, train.info().reader);

  Heard heard;
  Reading reading = heard.reading();
  reading.fitted = fitted;
  const auto other = folder.write("new.tsv", "a\tfive two\nc\tone\nb\ttwo two two two two two\n");
  const Dataset more = open("lines", other, "", reading).train;
  EXPECT_EQ(values_of(more.labels()), (Ints{0, 1}));
  EXPECT_EQ(tokens_of(more, 0), (Strings{"?", "two"}));
  EXPECT_EQ(more.column("input").size(1), 4);
  ASSERT_EQ(heard.lines.size(), 1U);
  EXPECT_NE(heard.lines[0].find("new.tsv:2: expected a label of the training rows, found \"c\""), std::string::npos);
  const auto bare = folder.write("bare.txt", "three two one\n");
  EXPECT_EQ(tokens_of(open("lines", bare, "separator=none", {.fitted = fitted}).train, 0),
            (Strings{"?", "two", "one"}));
}

TEST(Lines, NothingIsLearntFromTestRows) {
  const Folder folder;
  const auto file = folder.write("train.tsv", "a\tx y\nb\tz\n");
  folder.write("test.tsv", "a\tw w w w\nb\tz\nc\tx\n");
  folder.write("other.tsv", "b\tq q q q q q q\n");
  const Splits one = open("lines", file, "test=test.tsv&validation=other.tsv"),
               two = open("lines", file, "test=other.tsv");
  EXPECT_EQ(one.train.info().reader, two.train.info().reader);
  EXPECT_EQ(one.test.info().reader["vocabulary"].get<Strings>(), (Strings{"x", "y", "z"}));
  EXPECT_EQ(values_of(one.test.column("input")), (Ints{1, 1, 4, 0}));
  EXPECT_EQ(one.validation.size(), 1);

  std::string rows;
  for (int i = 0; i < 40; ++i) rows += (i % 4 == 0 ? "rare\tword" : "often\tword") + std::to_string(i) + "\n";
  const Splits parts = open("lines", folder.write("all.tsv", rows), "test_share=0.25");
  EXPECT_EQ(counts_of(parts.train), (Ints{22, 7}));
  EXPECT_EQ(counts_of(parts.test), (Ints{8, 3}));  // halves are rounded up
  EXPECT_EQ(parts.train.info().reader["vocabulary"].size(), 29U);
  EXPECT_EQ(parts.test.column("input").max().item<std::int64_t>(), 1);  // a word that only the test rows have
  EXPECT_EQ(parts.train.info().split + parts.test.info().split, "traintest");
}

TEST(Lines, Encodings) {
  const Folder folder;
  const auto latin = folder.write("l.txt", "caf\xe9 du nord\nplain\n");
  EXPECT_EQ(tokens_of(open("lines", latin).train, 0)[0], "café");
  EXPECT_EQ(tokens_of(open("lines", latin, "encoding=latin-1").train, 0)[0], "café");
  Heard heard;
  EXPECT_EQ(open("lines", latin, "encoding=utf-8", heard.reading()).train.size(), 1);
  ASSERT_EQ(heard.lines.size(), 1U);
  EXPECT_NE(heard.lines[0].find("l.txt:1: expected a row of text, found text that is not UTF-8"), std::string::npos);
  const auto utf8 = folder.write("u.txt",
                                 "\xef\xbb\xbf"
                                 "café\n");
  EXPECT_EQ(tokens_of(open("lines", utf8).train, 0)[0], "café");
  EXPECT_EQ(tokens_of(open("lines", utf8, "encoding=latin-1").train, 0)[0], "cafã");
  // A character that lies across two blocks of 64 KiB is one all the same.
  const auto across = folder.write("b.txt", std::string(65535, ' ') + "é\n");
  EXPECT_EQ(tokens_of(open("lines", across).train, 0)[0], "é");
  const auto wide = folder.write("w.txt", std::string("\xff\xfe"
                                                      "a\0b\0",
                                                      6));
  expect_error<DataError>([&] { open("lines", wide); }, {"w.txt", "UTF-16", "iconv"});
  expect_error<DataError>([&] { open("text", wide); }, {"w.txt", "UTF-16"});
}

TEST(Lines, BadRowsAreLeftOut) {
  const Folder folder;
  Heard heard;
  const std::string zero(1, '\0');
  const auto file = folder.write("bad.tsv", "a\tfine\nno tab\n\tno label\nb\t\nb\tzero" + zero + "byte\nb\tlast");
  EXPECT_EQ(open("lines", file, "", heard.reading()).train.size(), 2);
  ASSERT_EQ(heard.lines.size(), 4U);
  const Strings expected = {"bad.tsv:2: expected a label and a text, found 1 values", "bad.tsv:3: expected a label",
                            "bad.tsv:4: expected a label", "bad.tsv:5: expected a row of text, found a byte 0"};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NE(heard.lines[i].find(expected[i]), std::string::npos) << heard.lines[i];
  expect_error<DataError>([&] { open("lines", file, "separator=tab", {.strict = true}); }, {"bad.tsv:2"});

  expect_error<DataError>([&] { open("lines", folder.write("empty.txt", "\n \n")); },
                          {"empty.txt", "examples", "none"});
  const auto binary = folder.write("binary.txt", testing::ramp(4096));
  expect_error<DataError>([&] { open("lines", binary); },
                          {"binary.txt", "text as UTF-8 or latin-1", "a byte 0 among them"});
  expect_error<DataError>([&] { open("text", binary); }, {"binary.txt", "a byte 0 at position 0"});
  expect_error<DataError>([&] { open("lines", folder.path() / "nowhere.txt"); }, {"nowhere.txt"});
  expect_error<DataError>([&] { open("lines", folder.path()); }, {folder.path().string()});
}

// 100 MB without an end of line between two texts: one line that is left out, in little time and memory.
TEST(Lines, AnEndlessLineIsLeftOut) {
  const Folder folder;
  const auto file = folder.write("long.txt", "");
  std::ofstream stream(file);
  const std::string part(1 << 20, 'x');
  stream << "first\n";
  for (int i = 0; i < 100; ++i) stream << part;
  stream << "\nlast\n";
  stream.close();
  Heard heard;
  EXPECT_EQ(open("lines", file, "separator=none", heard.reading()).train.size(), 2);
  ASSERT_EQ(heard.lines.size(), 1U);
  EXPECT_NE(heard.lines[0].find("long.txt:2: expected a row of text, found a row of more than 1048576"),
            std::string::npos);
  // One long text makes all of them long: what padding takes is bounded before it is taken.
  std::string rows(1 << 20, 'y');
  for (int i = 0; i < 3000; ++i) rows += "\na";
  const auto wide = folder.write("wide.txt", rows);
  EXPECT_EQ(open("lines", wide, "by=byte&separator=none").train.column("input").size(1), 1024);
  expect_error<DataError>([&] { open("lines", wide, "by=byte&separator=none&length=1048576"); },
                          {"2147483648 ids", "3001 texts of 1048576", "`length`"});
}

TEST(Lines, OptionsAreChecked) {
  testing::expect_fields_cover<readers::Lines::Options>();
  testing::expect_fields_cover<readers::Text::Options>();
  const Folder folder;
  const auto file = folder.write("a.tsv", "a\tb\nc\td\n");
  auto refused = [&](const char* options, std::initializer_list<std::string_view> parts) {
    expect_error<ConfigError>([&] { open("lines", file, options); }, parts);
  };
  refused("test=b.tsv&test_share=0.1", {"lines.test_share", "0.1"});
  refused("marks=true&length=2", {"lines.length", "at least 3"});
  refused("by=letters", {"by", "\"letters\""});
  refused("target=-1", {"lines.target", "-1"});
  refused("text=[true]", {"lines.text", "true"});
  refused("target=kind&header=false", {"lines.header"});
  refused("separator=space&target=1", {"lines.separator", "\"space\""});
  refused("separator=none&label_until=:", {"lines.label_until"});
  refused("labels=false&label_until=:", {"lines.label_until"});
}

TEST(Text, Windows) {
  const Folder folder;
  const auto file = folder.write("t.txt", "abcdefghij");
  const Dataset train = open("text", file, "window=3&by=byte").train;
  ASSERT_EQ(train.size(), 3);
  EXPECT_EQ(values_of(train.column("input")), (Ints{99, 100, 101, 102, 103, 104, 105, 106, 107}));
  EXPECT_EQ(values_of(train.column("target")), (Ints{100, 101, 102, 103, 104, 105, 106, 107, 108}));
  const Fields some = train.gather(testing::long_tensor({2, 0}));
  EXPECT_EQ(values_of(some.input()), (Ints{105, 106, 107, 99, 100, 101}));
  EXPECT_EQ(values_of(some.target()), (Ints{106, 107, 108, 100, 101, 102}));
  EXPECT_EQ(some.input().scalar_type(), at::kInt);
  EXPECT_EQ(some.target().scalar_type(), at::kLong);
  EXPECT_EQ(train.info().fields.at("input").high, 257);
  EXPECT_EQ(train.info().overlap, 1);
  EXPECT_EQ(train.column("input").const_data_ptr(), train.column("input").const_data_ptr());  // no copy
  expect_error<DataError>([&] { open("text", file, "window=10"); }, {"t.txt", "more than 10 tokens", "found 10"});
}

TEST(Text, PartsInTheOrderOfTime) {
  const Folder folder;
  const auto file = folder.write("t.txt", "aaaabbbbccccddddeeee");
  const Splits parts = open("text", file, "window=3&test_share=0.2&validation_share=0.2");
  EXPECT_EQ(parts.train.info().reader["vocabulary"].get<Strings>(), (Strings{"a", "b", "c"}));
  EXPECT_EQ(values_of(parts.train.column("input")), (Ints{2, 2, 2, 2, 3, 3, 3, 3, 4}));
  EXPECT_EQ(values_of(parts.validation.column("target")), (Ints{1, 1, 1}));  // d: unknown
  EXPECT_EQ(parts.test.size(), 1);
  EXPECT_EQ(parts.test.info().split, "test");
  EXPECT_NE(parts.train.info().sha256, parts.test.info().sha256);
  folder.write("v.txt", "abcabcab");
  const Splits named = open("text", file, "window=7&validation=v.txt");
  EXPECT_EQ(values_of(named.validation.column("input")), (Ints{2, 3, 4, 2, 3, 4, 2}));
  EXPECT_EQ(named.test.size(), 0);
  const auto words = folder.write("w.txt", "one two three four five six seven eight nine ten");
  EXPECT_EQ(open("text", words, "by=word&window=2&test_share=0.5").train.info().reader["vocabulary"].get<Strings>(),
            (Strings{"five", "four", "one", "six", "three", "two"}));  // no word is cut
  expect_error<ConfigError>([&] { open("text", file, "test=v.txt&test_share=0.1"); }, {"text.test_share"});
  expect_error<ConfigError>([&] { open("text", file, "validation=v.txt&validation_share=0.1"); },
                            {"text.validation_share"});
  expect_error<ConfigError>([&] { open("text", file, "validation_share=0.5&test_share=0.5"); }, {"leave a text"});
}

// Lines in pieces and one long line without an end give what the whole gives.
TEST(Text, PiecesDoNotShow) {
  const Folder folder;
  std::string text;
  for (int i = 0; text.size() < 300000; ++i) text += "word" + std::to_string(i % 90) + (i % 10 == 0 ? "\n" : " ");
  const auto file = folder.write("t.txt", text);
  const Dataset bytes = open("text", file, "by=byte&window=1").train;
  EXPECT_EQ(bytes.size(), static_cast<std::int64_t>(text.size()) - 1);
  std::replace(text.begin(), text.end(), '\n', ' ');
  const auto flat = folder.write("f.txt", text);
  EXPECT_TRUE(at::equal(open("text", file, "by=word&window=5").train.column("input"),
                        open("text", flat, "by=word&window=5").train.column("input")));
  const Json fitted = bytes.info().reader;
  EXPECT_EQ(open("text", flat, "", {.fitted = fitted}).train.column("input").size(1), 1);
}

// A language model's weights know words by their ids, whoever reads the next texts.
TEST(Text, LinesAreReadWithTheWordsOfAText) {
  const Folder folder;
  const auto plain = folder.write("plain.txt", "who wrote it ? when did it end ? who ended it ? who knows it well ?");
  const auto labelled = folder.write("labelled.tsv", "a\twho moved the Wall ?\nb\twhen did it move ?\n");
  const Json fitted = open("text", plain, "by=word&window=4&min_count=2").train.info().reader;
  const Dataset lines = open("lines", labelled, "", {.fitted = fitted}).train;
  EXPECT_EQ(lines.info().reader["vocabulary"], fitted["vocabulary"]);
  EXPECT_EQ(lines.info().fields.at("input").high, static_cast<double>(fitted["vocabulary"].size() + 1));
  EXPECT_EQ(values_of(lines.column("input")[0])[0],
            values_of(open("text", plain, "by=word&window=4&min_count=2").train.column("input")[0])[0]);
  EXPECT_EQ(tokens_of(lines, 0), (Strings{"who", "?", "?", "?", "?"}));  // the last one is the vocabulary's
  // The other way, and what must not be told otherwise.
  const Json own = open("lines", labelled).train.info().reader;
  EXPECT_EQ(open("text", plain, "by=word&window=4", {.fitted = own}).train.info().reader["vocabulary"],
            own["vocabulary"]);
  const std::pair<const char*, const char*> others[] = {{"by=character", "by as the model learnt"},
                                                        {"marks=true", "marks as the model learnt"},
                                                        {"ngrams=2", "ngrams as the model learnt"},
                                                        {"vocabulary=[\"who\"]", "vocabulary as the model learnt"}};
  for (const auto& [options, message] : others) {
    expect_error<DataError>([&] { open("lines", labelled, options, {.fitted = fitted}); }, {message});
  }
  const Json marked = open("lines", labelled, "marks=true").train.info().reader;
  expect_error<DataError>([&] { open("text", plain, "by=word&window=4", {.fitted = marked}); },
                          {"marks as the model learnt"});
}

TEST(RealText, Trec) {
  const auto folder = testing::shared_data("text/trec");
  if (!folder) GTEST_SKIP() << "no shared data";
  const Splits trec = open("lines", *folder / "TREC.train.all", "test=TREC.test.all");
  EXPECT_EQ(counts_of(trec.train), (Ints{1162, 1250, 86, 1223, 835, 896}));
  EXPECT_EQ(counts_of(trec.test), (Ints{138, 94, 9, 65, 81, 113}));
  const Json reference = read_json("tests/parity/text.json");
  const auto vocabulary = trec.train.info().reader["vocabulary"].get<Strings>();
  EXPECT_EQ(vocabulary.size(), reference["trec"]["different"]);
  EXPECT_EQ(Strings(vocabulary.begin(), vocabulary.begin() + 10), reference["trec"]["most_frequent"].get<Strings>());
  EXPECT_EQ(trec.train.column("length").sum().item<std::int64_t>(), reference["trec"]["all"]);
  const Dataset raw = open("lines", *folder / "TREC.train.raw", "separator=space&label_until=:").train;
  EXPECT_EQ(raw.info().classes, (Strings{"ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"}));
  EXPECT_EQ(counts_of(raw), (Ints{86, 1162, 1250, 1223, 835, 896}));
  EXPECT_EQ(open("lines", *folder / "TREC.train.raw", "separator=space").train.classes(), 50);
}

TEST(RealText, SmsAndNews) {
  const auto folder = testing::shared_data("text");
  if (!folder) GTEST_SKIP() << "no shared data";
  const Dataset sms = open("lines", *folder / "sms/sms.tsv", "length=300").train;
  EXPECT_EQ(sms.info().classes, (Strings{"ham", "spam"}));
  EXPECT_EQ(counts_of(sms), (Ints{4827, 747}));
  const Json reference = read_json("tests/parity/text.json")["sms"];
  const auto vocabulary = sms.info().reader["vocabulary"].get<Strings>();
  EXPECT_EQ(vocabulary.size(), reference["different"]);
  EXPECT_EQ(Strings(vocabulary.begin(), vocabulary.begin() + 10), reference["most_frequent"].get<Strings>());
  EXPECT_EQ(sms.column("length").sum().item<std::int64_t>(), reference["all"]);
  const Splits parts = open("lines", *folder / "sms/sms.tsv", "test_share=0.25");
  EXPECT_EQ(counts_of(parts.test), (Ints{1207, 187}));
  const Dataset news = open("lines", *folder / "agnews/test.csv").train;
  EXPECT_EQ(news.info().classes, (Strings{"1", "2", "3", "4"}));
  EXPECT_EQ(counts_of(news), (Ints{1900, 1900, 1900, 1900}));
}

TEST(RealText, TinyShakespeare) {
  const auto folder = testing::shared_data("text/tinyshakespeare");
  if (!folder) GTEST_SKIP() << "no shared data";
  const Splits plays = open("text", *folder / "input.txt", "window=100&test_share=0.1");
  EXPECT_EQ(plays.train.info().reader["vocabulary"].size(), 65U);
  EXPECT_EQ(plays.train.size(), (1115394 * 9 / 10 - 1) / 100);
  EXPECT_EQ(plays.test.size(), (1115394 / 10) / 100);
  EXPECT_EQ(plays.test.column("input").eq(1).sum().item<std::int64_t>(), 0);
  EXPECT_EQ(open("text", *folder / "input.txt", "window=1&by=byte").train.size(), 1115393);
}

}  // namespace
}  // namespace vaetl::lines_test
