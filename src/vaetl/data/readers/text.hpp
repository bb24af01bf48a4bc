// One long text for language models: windows of `window` tokens, one behind the other in the order of the text. `input`
// int32 (N, W) token ids (data/text/tokenizer.hpp), `target` int64 (N, W) the token after each; what is left at the end
// is less than a window. Validation and test are the last shares of the text, or files of their own; the vocabulary is
// that of the training part. In memory are the token ids once, four bytes each.
//
//   auto plays = data::open("text:input.txt?window=128&test_share=0.1");
#pragma once
#include "vaetl/data/reader.hpp"
#include "vaetl/data/text/tokenizer.hpp"

namespace vaetl::readers {

class Text final : public Reader {
 public:
  static constexpr const char* name = "text";
  struct Options {
    std::string by = "character";
    std::optional<bool> lower = {};
    bool punctuation = true;
    std::int64_t size = 20000, min_count = 1;
    std::vector<std::string> vocabulary = {};
    std::string model = {}, pieces = {}, encoding = "auto";
    std::int64_t window = 64;
    std::string test = {}, validation = {};
    double test_share = 0, validation_share = 0;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple_cat(
          text::token_fields<O>(),
          std::tuple{field("window", &O::window, "W: tokens of an example", between(1, 1 << 20)),
                     field("test", &O::test, "file of the test text"),
                     field("validation", &O::validation, "file of the validation text"),
                     field("test_share", &O::test_share, "share of the text, from its end, for test", between(0, 0.9)),
                     field("validation_share", &O::validation_share,
                           "share of the text, before the test's, for validation", between(0, 0.9))});
    }
    void validate() const;
  };
  explicit Text(Options options) : options_(std::move(options)) {}
  Splits open(const std::filesystem::path& path, const Reading& reading) const override;

 private:
  Options options_;
};

}  // namespace vaetl::readers
