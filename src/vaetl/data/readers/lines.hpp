// One example a line or row, `label<TAB>text`, `label text`, CSV columns or texts alone, gzip or not: `input` int32
// (N, T) token ids padded with 0 (data/text/tokenizer.hpp), `length` int64 (N), at least 1, and `target`. Labels become
// 0 … K−1 in the order of their names, numbers by their value; a label that the training data lack is left out of
// further files. Vocabulary, classes and T are learnt from the training rows alone: a test share is drawn before.
//
//   auto sms = data::open("lines:sms.tsv?test_share=0.25&ngrams=2");
//   auto news = data::open("lines:train.csv?text=[1,2]&test=test.csv");
#pragma once
#include "vaetl/data/further.hpp"
#include "vaetl/data/text/rows.hpp"
#include "vaetl/data/text/tokenizer.hpp"

namespace vaetl::readers {

class Lines final : public Reader, public ReadsFurther {
 public:
  static constexpr const char* name = "lines";
  struct Options {
    std::string by = "word";
    std::optional<bool> lower = {};
    bool punctuation = true;
    std::int64_t size = 20000, min_count = 1;
    std::vector<std::string> vocabulary = {};
    std::string model = {}, pieces = {}, encoding = "auto";
    std::int64_t ngrams = 1, length = 0;
    bool marks = false;
    std::string separator = "auto";
    bool labels = true;
    Json target = 0;
    std::vector<Json> text = {};
    std::optional<bool> header = {};
    std::string label_until = {};
    std::vector<std::string> classes = {};
    std::string test = {}, validation = {};
    double test_share = 0;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple_cat(
          text::token_fields<O>(),
          std::tuple{
              field("ngrams", &O::ngrams, "runs of up to so many words or characters are tokens too", between(1, 8)),
              field("length", &O::length, "T: longer texts are cut; 0: of the longest training text, at most 1024",
                    between(0, 1 << 20)),
              field("marks", &O::marks, "a token at the beginning and one at the end of each text"),
              choice("separator", &O::separator, "what follows the label; auto: as the first rows of the training file",
                     {"auto", "tab", "space", "csv", "none"}),
              field("labels", &O::labels, "whether rows have labels"),
              field("target", &O::target, "column of the label: name, or number from 0"),
              field("text", &O::text, "columns of the text; empty: all but the label"),
              field("header", &O::header, "whether the first row has names; by default where columns are named"),
              field("label_until", &O::label_until, "the label ends before this text; empty: all of it"),
              field("classes", &O::classes, "the labels; empty: learnt from the training rows"),
              field("test", &O::test, "file of the test rows"),
              field("validation", &O::validation, "file of the validation rows"),
              field("test_share", &O::test_share, "share of the rows to be held out for test", between(0, 0.9))});
    }
    void validate() const;
  };
  explicit Lines(Options options) : options_(std::move(options)) {}
  Splits open(const std::filesystem::path& path, const Reading& reading) const override;
  std::unique_ptr<FurtherStream> further(const Place& place) const override;  // lines, a text each

 private:
  Options options_;
};

}  // namespace vaetl::readers
