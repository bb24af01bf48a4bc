// What is wrong with data, before something is trained on them: examples that cannot be read, equal and nearly equal
// ones, test examples that stand in the training data, labels that contradict or are too few, values that are constant,
// not finite or outside their declared range, checksums that do not hold.
//
//   const auto report = data::check(data::parse_reference("sms-spam"));
//   for (const auto& finding : report.findings) fmt::print("{}: {}\n", finding.kind, finding.text);
//
// An error is what makes a result wrong; a warning is what a person should know. Equal rows of a table are warnings:
// they may be different persons with equal answers.
#pragma once
#include "vaetl/core/error.hpp"
#include "vaetl/data/dataset.hpp"
#include "vaetl/data/reference.hpp"

namespace vaetl::data {

struct Place {
  std::string split = {};
  std::int64_t index = 0;
};

struct Finding {
  bool error = false;
  // left_out, damaged, not_finite, out_of_range, missing, duplicates, conflicts, leaks, near_duplicates, near_leaks,
  // constant_columns, constant_pictures, few_examples, absent_class, imbalance, not_compared
  std::string kind = {};
  std::string split = {};  // "train", "train, test"; empty: the whole
  std::int64_t count = 0;  // of examples, columns or classes, as the text says
  std::string text = {};
  std::vector<std::vector<Place>> examples = {};  // groups of examples that belong together, the first few
  Json json() const;
};

struct CheckOptions {
  bool near = true;  // look for nearly equal examples as well
  // Pictures are nearly equal from this correlation on, see check/near_pictures.hpp. With 0.99, of 1,000 pictures each
  // of MNIST and Fashion-MNIST, all that are moved by one pixel are found, at least 98.9 % of those 5 % brighter or
  // darker, and 94.7 % of those stored as JPEG of quality 75; of the 70,000 digits of MNIST three pairs reach it by
  // themselves (tests/parity/near_pictures.py measures the former).
  double correlation = 0.99;
  std::int64_t most_pictures = 100000;  // of larger sets so many, evenly spaced, are compared for near ones
};

std::vector<Finding> check(const Splits& splits, const CheckOptions& options = {});

struct CheckReport {
  std::vector<Finding> findings = {};
  std::vector<Problem> problems = {};  // of reading and of the checksums: file, line and reason; the first 10,000
  std::int64_t left_out = 0;           // examples that cannot be read
  std::int64_t examples = 0;           // that can
  bool passed() const;                 // no error
  Json json() const;
};

// Opens the data, checks a packed file's checksums, then what the examples hold. The errors of open().
CheckReport check(const Reference& reference, const CheckOptions& options = {});

}  // namespace vaetl::data
