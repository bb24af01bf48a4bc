// Further examples for trained weights, some at a time, so that memory does not grow with their number. They are read
// as the training data were, but need no labels, and have names by which their results are known.
//
//   auto reader = registry<Reader>().make(Spec of preprocess.reader());
//   auto rows = dynamic_cast<const ReadsFurther&>(*reader).further({.path = "new.csv"});
//   for (FurtherExamples some; rows->next(64, some);) use(some.fields, some.names);
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "vaetl/core/batch.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/data/dataset.hpp"

namespace vaetl {

// A file or folder, or what comes from an open descriptor: rows, lines, or names of files, one a line.
struct Place {
  std::filesystem::path path = {};
  int descriptor = -1;      // instead of a path
  std::string prefix = {};  // of the names of rows and lines, to tell several places apart
  std::string name() const { return descriptor < 0 ? path.string() : "standard input"; }
  std::string row_name(std::int64_t number) const { return prefix + std::to_string(number); }
};

struct FurtherExamples {
  Fields fields = {};                   // as stored: "input", "length" where examples are padded; none without a name
  std::vector<std::string> names = {};  // of each: its file, or the number of its row or line, counted from 1
  std::vector<Problem> problems = {};   // of each that was left out among them
  std::vector<Problem> notes = {};      // what a person should know besides
};

// Leaves the names of the rows that `kept`, bool (N), is true of; returns the others.
std::vector<std::string> keep_rows(std::vector<std::string>& names, const at::Tensor& kept);

class FurtherStream {
 public:
  virtual ~FurtherStream() = default;
  // The next ones: at most `count`, and fewer, none even, where some are left out or differ in size; false at the end.
  // DataError for what makes the rest unreadable.
  virtual bool next(std::int64_t count, FurtherExamples& examples) = 0;
};

// What a reader offers besides whose options are complete, as DatasetInfo::reader has them.
struct ReadsFurther {
  virtual ~ReadsFurther() = default;
  // DataError: what is there cannot be read so.
  virtual std::unique_ptr<FurtherStream> further(const Place& place) const = 0;
};

// Examples that are at hand, in their order. Names: of each; empty: by number. `left_out`: told with the first of them.
std::unique_ptr<FurtherStream> further_of(const Dataset& data, const Place& place, std::vector<std::string> names = {},
                                          std::vector<Problem> left_out = {});

// The rows of a .npy file, or of a packed one (data/packed.hpp), whose splits follow each other: raw values as a
// model's data store them. Rows with a value that is not finite are left out. `shape`: of one example, −1 for any size;
// axes of length 1 may be missing in the file.
std::unique_ptr<FurtherStream> further_arrays(const Place& place, const std::vector<std::int64_t>& shape);
bool holds_arrays(const std::filesystem::path& file);  // by its name

}  // namespace vaetl
