// Files whose folders, or a list, tell splits and classes: what the readers of pictures and of sound begin with.
#pragma once
#include "vaetl/data/readers/example_files.hpp"

namespace vaetl::readers {

struct LabelledFiles {
  std::vector<ExampleFile> files = {};
  std::vector<std::int64_t> labels = {};  // one for each file; empty: there are none
  std::vector<std::string> classes = {};  // search.classes, or those of the training files, sorted
};

// The files below `path`; those of `test`, relative to it, are the test split, or a share of the files, held out as
// hold_out does. Files of a class that the training data lack are left out. ConfigError for `test` or a `test_share`
// where there is a test split; `kind` begins the option's name. DataError: files with and without a class.
LabelledFiles find_labelled_files(const std::filesystem::path& path, FileSearch search, const std::string& test,
                                  double test_share, const char* kind, const Reading& reading, Skips& skips);

}  // namespace vaetl::readers
