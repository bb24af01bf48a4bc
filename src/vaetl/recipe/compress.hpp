// Pictures stored small and without loss by a VAE (recipe/bits_back.hpp): from files to one file and back.
//
//   const Pretrained vae = zoo::load("fashion-mnist-vae");
//   write_atomically("test.bb", recipe::compress(vae, recipe::read_pictures({"test.npy"})));
//   recipe::write_restored("same.npy", recipe::decompress(vae, recipe::unpacked(read_file("test.bb"), "test.bb")));
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "vaetl/recipe/compressed_file.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::recipe {

struct StoredPictures {
  at::Tensor values;                    // uint8 (N, …)
  std::vector<std::string> names = {};  // of the files that they came from; empty: they were an array
};

// One .npy file of uint8, or PNG files, or one folder of them, by name; pictures of one shape. DataError for anything
// that would not come back as it was: another type, 16 bits a channel, a folder that holds something else.
StoredPictures read_pictures(const std::vector<std::filesystem::path>& files);

// The file's bytes; equal pictures and weights give equal bytes. ConfigError and DataError as BitsBack says.
std::string compress(const Pretrained& model, const StoredPictures& pictures, const Coded& coded = {});

// Complete and proven by their checksum. DataError, beginning with the file's name, for what it cannot hold. FileError:
// other weights, or a machine whose floating point gives other numbers than where it was written.
StoredPictures decompress(const Pretrained& model, const CompressedFile& file, const Coded& coded = {});

// FILE.npy, FOLDER/ of PNG files, or FILE.png for a single one. ConfigError for another form of pictures of this shape.
void check_restored_form(const std::string& out, const std::vector<std::int64_t>& shape);
void write_restored(const std::string& out, const StoredPictures& pictures);

}  // namespace vaetl::recipe
