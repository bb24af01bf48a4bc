// NumPy's arrays: .npy files (format versions 1 to 3) and the .npz archives of them (stored or deflated).
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
// Types: bool, int8 … int64, uint8, uint16, float16, float32, float64, in both byte orders; uint32 becomes int64.
// Arrays of objects, strings, records and complex numbers are refused by name; nothing of a file is ever run. Every
// size is checked against the file before memory is taken.
//
//   at::Tensor images = read_npy("images.npy");
//   write_npy("copy.npy", images);
//   at::Tensor labels = read_npz("mnist.npz", {"y_train"}).at("y_train");
#pragma once
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vaetl {

// The array in row-major order, shape as in the file (none for a single value). Plain files from 64 MiB in row-major
// order are mapped: pages are read when they are used and take no memory of their own; the tensor is not to be written
// to. gzip is recognised. DataError names what is wrong.
at::Tensor read_npy(const std::filesystem::path& file);

std::vector<std::string> npz_names(const std::filesystem::path& file);  // as NumPy names them, without .npy
// Those arrays of a .npz of at most 4 GiB each. DataError names the first that it lacks.
std::map<std::string, at::Tensor> read_npz(const std::filesystem::path& file, const std::vector<std::string>& names);

// Format version 1, row-major, little endian. bfloat16 is written as float32. OutputError where it cannot be written.
void write_npy(const std::filesystem::path& file, const at::Tensor& array);

}  // namespace vaetl
