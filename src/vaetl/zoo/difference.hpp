// What two models differ in: descriptions by key, metrics, tensors by name.
#pragma once
#include <string>
#include <vector>

#include "vaetl/zoo/zoo.hpp"

namespace vaetl::zoo {

struct KeyDifference {
  std::string key;  // dotted path in the card
  Json a, b;        // null: not there
};

struct TensorDifference {
  std::string name, note = {};  // the note, where values cannot be compared: only in one, another shape or type
  std::int64_t values = 0, differing = 0;
  double largest = 0;  // of |a − b|; infinite where one is not a number and the other is
};

struct Difference {
  std::vector<KeyDifference> description = {}, metrics = {};
  std::int64_t equal_tensors = 0;
  std::vector<TensorDifference> tensors = {};  // that are not equal
  bool equal() const { return description.empty() && metrics.empty() && tensors.empty(); }
};

// Of the cards all but names of entries and files, checksums and test vectors, which follow from the rest.
Difference difference(const Pretrained& a, const Pretrained& b);

}  // namespace vaetl::zoo
