// What the names of files in a tree say about splits and classes.
//   class/*.png                             classes
//   train/class/*.png, test/class/*.png     splits, also val, valid or validation; without classes: train/*.png
//   *.png                                   no classes
// A single folder around everything is looked through, unless it is a split or `classes` has its name. Files in folders
// below a class belong to the class.
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace vaetl::readers {

enum class Part { train, validation, test };

struct Placed {
  Part part = Part::train;
  std::optional<std::string> label = {};
  std::string flaw = {};  // why the file has no place; usually empty
};

struct FileLayout {
  std::vector<Placed> files = {};        // one for each name, in their order
  std::vector<std::string> barren = {};  // class folders without a file
};

// Names and folders are relative, with '/'. Where there is val but no test, val is the test split.
FileLayout lay_out(const std::vector<std::string>& names, const std::vector<std::string>& folders,
                   const std::vector<std::string>& classes);

}  // namespace vaetl::readers
