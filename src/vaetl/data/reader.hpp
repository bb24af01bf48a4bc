// Readers turn files into splits: one class a format, found by the KIND of a reference "KIND:PATH". Options describe
// the files (columns, sizes, vocabularies); what a reader learns, it learns from the training part alone. A user's own
// class joins by registry<Reader>().add<Mine>().
//
// What every reader keeps to:
// - fields of one dtype and shape: `input` uint8 or raw until the batch (int32: token ids), `target` int64 labels from
// 0
//   or float values, `length` int64 where examples were padded with 0, `weight` float32 of at least 0 where they count
//   for more or less than one;
// - a bad file, row or line is left out through Skips, with file, line and reason; what makes the whole unreadable is a
//   DataError. Sizes are checked before memory is taken: time and memory stay bounded on any input;
// - info.reader is its spec, completed with what was learnt, without the options that name files or shares; a reader
// made
//   from it reads further files to the same fields, and learns nothing.
#pragma once
#include <filesystem>
#include <functional>

#include "vaetl/core/error.hpp"
#include "vaetl/core/registry.hpp"
#include "vaetl/data/dataset.hpp"
#include "vaetl/data/digest.hpp"

namespace vaetl {

// How strictly files are read, and who hears of what was left out.
struct Reading {
  bool strict = false;                               // the first bad example ends the reading with a DataError
  std::function<void(const Problem&)> skipped = {};  // told of every example left out, in the order of the files
  DatasetInfo about = {};                            // of a known set: name, licence, names of the classes
  Json fitted = {};                                  // info.reader of other data (a model's): learn nothing anew
};

class Reader {
 public:
  using Kind = Reader;
  virtual ~Reader() = default;
  virtual Splits open(const std::filesystem::path& path, const Reading& reading) const = 0;
};

template <>
Registry<Reader>& registry<Reader>();  // data/readers/table.cpp

// What a reader leaves out. Not thread-safe: decode in parallel, then add in the order of the files.
class Skips {
 public:
  explicit Skips(const Reading& reading) : reading_(reading) {}
  void add(Problem problem);  // DataError where the reading is strict
  std::int64_t count() const { return count_; }
  // DataError with the first problem where nothing was left to read.
  void check_left(std::int64_t left, const std::string& where) const;

 private:
  const Reading& reading_;
  std::int64_t count_ = 0;
  Problem first_ = {};
};

// What readers share when they put splits together.
namespace readers {

// A split with its name and checksum; the classes are dropped where there are no labels. Fields that `digest` has
// already are not added to it. DataError where all examples weigh 0.
Dataset make_split(Fields fields, DatasetInfo info, const std::string& split, DataDigest digest = {});
Dataset none_of(const Dataset& data, const std::string& split);  // the same fields, no examples
Dataset renamed(const Dataset& data, const std::string& split);  // the same data as another split
// Train and test of one set: `test_share` of it held out as hold_out does, the same for every seed; 0: no test.
Splits split_off(const Dataset& all, double test_share);
// "0" … "K−1".
std::vector<std::string> numbered_classes(std::int64_t count);

}  // namespace readers
}  // namespace vaetl
