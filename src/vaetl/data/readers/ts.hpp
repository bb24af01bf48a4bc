// Series of the UCR/UEA archive, one case a line: `.ts` (any number of dimensions, unequal lengths), `.tsv`, `.txt` and
// `.csv` (label first, NaN behind the end of a shorter case), `.npy` (N, 1 + T). PATH is the training file, or a folder
// with one NAME_TRAIN file; NAME_TEST beside it is the test data. `input` float32 (N, T, F); `length` int64 where the
// training cases differ in length: behind it are zeros. `target`: the labels, numbered by their sorted names, or values
// (N, 1) of a regression. A case that cannot be read, misses a value, or has a label of no training case is left out.
//
//   data::open("ts:JapaneseVowels_TRAIN.ts")
//   data::open("ts:ECG5000_TRAIN.txt?test=ECG5000_TEST.npy")
#pragma once
#include "vaetl/data/further.hpp"
#include "vaetl/data/reader.hpp"

namespace vaetl::readers {

class Ts final : public Reader, public ReadsFurther {
 public:
  static constexpr const char* name = "ts";
  struct Options {
    std::string test = {};
    double test_share = 0;
    std::int64_t length = 0;
    std::string missing = "skip";
    std::int64_t dims = 0;
    bool padded = false;
    std::vector<std::string> classes = {};
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          field("test", &O::test, "file of the test cases, beside PATH; default: NAME_TEST for NAME_TRAIN"),
          field("test_share", &O::test_share, "share of the cases held out as test", between(0, 0.99)),
          field("length", &O::length, "T: longer cases are cut; 0: of the longest training case", between(0, 1e9)),
          choice("missing", &O::missing, "a case that misses values: skip, or interpolate in time",
                 {"skip", "interpolate"}),
          field("dims", &O::dims, "F; 0: that of the training cases", between(0, 1e6)),
          field("padded", &O::padded, "whether cases have lengths of their own: learnt with `dims`"),
          field("classes", &O::classes, "labels in the order of their numbers; none: learnt")};
    }
    void validate() const;
  };
  explicit Ts(Options options) : options_(std::move(options)) { options_.validate(); }
  Splits open(const std::filesystem::path& path, const Reading& reading) const override;
  std::unique_ptr<FurtherStream> further(const Place& place) const override;  // cases by file and line

 private:
  Options options_;
};

}  // namespace vaetl::readers
