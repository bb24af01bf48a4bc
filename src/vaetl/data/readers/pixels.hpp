// Pictures as rows of numbers in a text file (CSV, or between blanks; gzip or not), one a line: its label, if any, and
// the values of its pixels, channel by channel and row by row.
//   pixels:train.csv?size=[28,28]&test_share=0.2
//   pixels:zip.train.gz?test=zip.test.gz&size=[16,16]&low=-1&high=1&delimiter=space
// `input` (N, C, H, W) uint8: low … high becomes 0 … 255, rounded. `target` int64: the labels, numbers from 0; none
// where the rows of a file hold pixels alone. A first line without numbers is a header.
//
// Left out, with line and reason: rows of another width, values that are no numbers or outside low … high, labels that
// are none or not among the classes.
#pragma once
#include "vaetl/data/reader.hpp"

namespace vaetl::readers {

class Pixels final : public Reader {
 public:
  static constexpr const char* name = "pixels";
  struct Options {
    std::vector<std::int64_t> size = {};
    double low = 0, high = 255;
    std::string label = "first", delimiter = {}, test = {};
    double test_share = 0;
    std::int64_t classes = 0;

    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          field("size", &O::size, "[H, W] or [C, H, W]", between(1, 1 << 16)),
          field("low", &O::low, "the value of black"),
          field("high", &O::high, "the value of white"),
          choice("label", &O::label, "where it stands in the row", {"first", "last"}),
          field("delimiter", &O::delimiter, "one character, tab or space (any blanks); empty: by the file's name"),
          field("test", &O::test, "file of the test split, beside the file"),
          field("test_share", &O::test_share, "share of the pictures to hold out for test", between(0, 0.9)),
          field("classes", &O::classes, "K; 0: by the largest label for training", between(0, 1 << 20))};
    }
    void validate() const;
  };
  explicit Pixels(Options options) : options_(std::move(options)) { options_.validate(); }
  Splits open(const std::filesystem::path& path, const Reading& reading) const override;

 private:
  Options options_;
};

}  // namespace vaetl::readers
