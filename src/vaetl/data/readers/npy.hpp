// NumPy's arrays: one .npy, a .npz, or a folder of .npy. The words of an array's name tell what it is: x, input,
// images, data or features against y, target or labels and w or weights; train, val or test: X_train, y_test,
// train_images, labels, w_train.
// `input` as it is stored, float64 as float32; uint16 and int32 are token ids (N, T), int32, or in more dimensions
// pictures or values, float32, for which uint16 declares the range 0 … 65535. `target`: whole numbers (N) or (N, 1) are
// labels, which are numbered in their order (1 … 5 become 0 … 4), others values (N, O) float32. `weight` (N) float32:
// what each example counts for, at least 0; DataError where all are 0. Rows with a value that is not finite, with a
// label that the training data lack, or with a weight below 0, are left out.
//
//   npy:mnist.npz?layout=hw          npy:scans.npy?target=kinds.npy          npy:ECG5000_TRAIN.npy?target_column=0
//
// A plain .npy from 64 MiB is mapped: it may be larger than memory.
#pragma once
#include "vaetl/data/reader.hpp"

namespace vaetl::readers {

class Npy final : public Reader {
 public:
  static constexpr const char* name = "npy";
  struct Options {
    std::string input = {}, target = {}, weight = {}, test_input = {}, test_target = {}, test_weight = {};
    std::optional<std::int64_t> target_column = {};
    std::string target_as = "auto", layout = "as_is";
    std::string test = {};
    double test_share = 0;
    std::vector<std::int64_t> shape = {};
    std::vector<std::string> classes = {};
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          field("input", &O::input, "array of the training inputs; empty: found by its name"),
          field("target", &O::target, "array of the training targets, for a .npy a file beside it; empty: likewise"),
          field("weight", &O::weight, "array of the training examples' weights, likewise"),
          field("test_input", &O::test_input, "array of the test inputs; empty: found by its name"),
          field("test_target", &O::test_target, "array of the test targets; empty: likewise"),
          field("test_weight", &O::test_weight, "array of the test examples' weights; empty: likewise"),
          field("target_column", &O::target_column, "column of an input (N, F) that is the target; -1: the last"),
          choice("target_as", &O::target_as, "labels, values, or by their type: whole numbers are labels",
                 {"auto", "labels", "values"}),
          choice("layout", &O::layout, "hw: images (N, H, W) get a channel; hwc: (N, H, W, C) become (N, C, H, W)",
                 {"as_is", "hw", "hwc"}),
          field("test", &O::test, "file or folder of the test split, beside PATH"),
          field("test_share", &O::test_share, "share of the examples held out as test", between(0, 0.99)),
          field("shape", &O::shape, "shape of an example; learnt", at_least(0)),
          field("classes", &O::classes, "labels in the order of their numbers; empty: those found")};
    }
    void validate() const;
  };
  explicit Npy(Options options) : options_(std::move(options)) { options_.validate(); }
  Splits open(const std::filesystem::path& path, const Reading& reading) const override;

 private:
  Options options_;
};

}  // namespace vaetl::readers
