// Which arrays of a .npz or of a folder are inputs, targets and weights of which split, by the words of their names.
#pragma once
#include <ATen/core/Tensor.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace vaetl::readers {

// Of one split; undefined where there are none.
struct SplitArrays {
  at::Tensor input = {}, target = {}, weight = {};
  std::string where = {};  // what errors call the input
};

struct ArrayNames {
  std::string input = {}, target = {}, weight = {};  // empty: by their words
  std::string test_input = {}, test_target = {}, test_weight = {};
};

// Training, validation and test; without a name that tells, an array is for training. DataError: two arrays for one
// place, none for inputs, a name that is not there.
std::array<SplitArrays, 3> read_arrays(const std::filesystem::path& path, const ArrayNames& names);

}  // namespace vaetl::readers
