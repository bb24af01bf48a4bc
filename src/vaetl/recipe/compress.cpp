#include "vaetl/recipe/compress.hpp"

#include <ATen/ATen.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <algorithm>

#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/npy.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/recipe/compressed_file.hpp"
#include "vaetl/recipe/pixels.hpp"

namespace vaetl::recipe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t bit_depth_place = 24;  // in a PNG file: its first chunk is IHDR

std::string hash_of(const at::Tensor& pictures) {
  Sha256 hash;
  hash.update(pictures.const_data_ptr(), pictures.nbytes());
  return hash.hex();
}

StoredPictures read_array(const fs::path& file) {
  const at::Tensor array = read_npy(file);
  if (array.scalar_type() == at::kByte && array.dim() > 1 && array.numel() > 0) return {array};
  throw DataError({file.string(), "pictures, uint8 (N, …)",
                   dtype_name(array.scalar_type()) + " " + shape_text(array.sizes().vec()),
                   "pixels come back as they were, so give them as bytes"});
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    files.push_back(it->path());
  }
  if (error) throw DataError({folder.string(), "a folder that can be read", error.message(), {}});
  std::sort(files.begin(), files.end());
  if (!files.empty()) return files;
  throw DataError({folder.string(), "PNG files", "an empty folder", {}});
}

at::Tensor read_picture(const fs::path& file) {
  std::error_code ignored;
  const auto kind = fs::status(file, ignored).type();
  if (kind != fs::file_type::regular || file.extension() != ".png") {
    throw DataError({file.string(), "a file FILE.png, so that all there is comes back",
                     kind == fs::file_type::not_found ? "none" : "something else",
                     "give PNG files, a folder that holds nothing else, or one .npy file"});
  }
  if (!is_plain_name(file.filename().string())) {
    throw DataError({file.parent_path().string(), "names in UTF-8 without control characters", "another", "rename it"});
  }
  const std::string bytes = read_file(file);
  const at::Tensor picture = decode_png(bytes, file.string());
  if (bytes[bit_depth_place] != 16) return picture.contiguous();
  throw DataError({file.string(), "at most 8 bits a channel", "16", "they would not come back"});
}

StoredPictures read_files(const std::vector<fs::path>& files) {
  std::vector<at::Tensor> values;
  StoredPictures pictures;
  for (const fs::path& file : files) {
    values.push_back(read_picture(file));
    pictures.names.push_back(file.filename().string());
    if (values.back().sizes() == values[0].sizes()) continue;
    throw DataError({file.string(),
                     "a picture of the same shape as the first, " + shape_text(values[0].sizes().vec()),
                     shape_text(values.back().sizes().vec()),
                     {}});
  }
  auto names = pictures.names;
  std::sort(names.begin(), names.end());
  if (const auto same = std::adjacent_find(names.begin(), names.end()); same != names.end()) {
    throw ConfigError({"command line", "files of different names", "two " + *same, "compress them apart"});
  }
  pictures.values = at::stack(values);
  return pictures;
}

// (N, H, W) is taken as (N, 1, H, W).
at::Tensor as_model_sees(const at::Tensor& pictures, const std::vector<std::int64_t>& shape) {
  const at::IntArrayRef given = pictures.sizes().slice(1);
  if (given.equals(shape)) return pictures;
  std::vector<std::int64_t> sizes = {pictures.size(0)};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  if (!shape.empty() && shape[0] == 1 && given.equals(at::IntArrayRef(shape).slice(1))) return pictures.view(sizes);
  sizes[0] = -1;
  throw DataError(
      {"pictures", "those that the model sees, " + shape_text(sizes), shape_text(pictures.sizes().vec()), {}});
}

// What else than the weights the numbers depend on, as far as it has a name; the fingerprint tells the rest.
void describe_machine(CompressedHeader& header) {
  header.torch = TORCH_VERSION;
  header.processor = at::get_cpu_capability();
}

FileError other_numbers(const std::string& where, const std::string& expected, const std::string& found) {
  return FileError({where, expected + ", as where it was compressed", found, "decompress it on such a machine"});
}

void check_machine(const CompressedHeader& header, const std::string& where) {
  CompressedHeader here;
  describe_machine(here);
  if (here.torch != header.torch) throw other_numbers(where, "LibTorch " + quote(header.torch), here.torch);
  if (here.processor != header.processor) {
    throw other_numbers(where, "a processor with " + quote(header.processor), here.processor);
  }
}

void check_weights(const Pretrained& model, const CompressedHeader& header, const std::string& where) {
  if (model.card.weights.sha256 == header.weights) return;
  throw FileError({where, "the weights that compressed it, sha256 " + quote(header.weights.substr(0, 16)),
                   model.card.weights.sha256.substr(0, 16), "name the same model"});
}

}  // namespace

StoredPictures read_pictures(const std::vector<fs::path>& files) {
  std::error_code ignored;
  if (files.size() == 1 && files[0].extension() == ".npy") return read_array(files[0]);
  if (files.size() == 1 && fs::is_directory(files[0], ignored)) return read_files(files_in(files[0]));
  return read_files(files);
}

std::string compress(const Pretrained& model, const StoredPictures& pictures, const Coded& coded) {
  const BitsBack coder(*model.model, chains_for(pictures.values.size(0)));
  const at::Tensor values = as_model_sees(pictures.values.contiguous(), coder.shape());
  CompressedFile file;
  describe_machine(file.header);
  file.header.weights = model.card.weights.sha256;
  file.header.fingerprint = coder.fingerprint();
  file.header.shape = pictures.values.sizes().vec();
  file.header.names = pictures.names;
  file.header.pixels = hash_of(values);
  file.streams = coder.encode(values, coded);
  for (const RansWords& words : file.streams) file.header.words.push_back(static_cast<std::int64_t>(words.size()));
  return packed(file);
}

StoredPictures decompress(const Pretrained& model, const CompressedFile& file, const Coded& coded) {
  const CompressedHeader& header = file.header;
  const std::int64_t count = header.shape.at(0), chains = chains_for(count);
  check_weights(model, header, file.where);
  check_machine(header, file.where);
  const BitsBack coder(*model.model, chains);
  const std::int64_t pixels = c10::multiply_integers(header.shape) / count;
  if (static_cast<std::int64_t>(file.streams.size()) != chains || pixels != c10::multiply_integers(coder.shape())) {
    throw DataError({file.where, "as many streams and pixels as the model makes of its pictures", "another number",
                     "the file is damaged"});
  }
  if (coder.fingerprint() != header.fingerprint) {
    throw other_numbers(file.where, "the same numbers from the same model", "others");
  }
  const at::Tensor pictures = coder.decode(file.streams, count, file.where, coded);
  if (hash_of(pictures) != header.pixels) throw other_numbers(file.where, "the pixels that it was made of", "others");
  return {pictures.view(header.shape), header.names};
}

void check_restored_form(const std::string& out, const std::vector<std::int64_t>& shape) {
  const std::string extension = out.ends_with('/') ? "/" : fs::path(out).extension().string();
  const bool one = extension == ".png", array = extension == ".npy";
  if (!one && !array && extension != "/") throw ConfigError({"--out", "FILE.npy, FOLDER/ or FILE.png", quote(out), {}});
  if (array) return;
  const bool images = shape.size() == 3 || (shape.size() == 4 && shape[1] >= 1 && shape[1] <= 4);
  if (!images) throw ConfigError({"--out", "FILE.npy, as these are no pictures of 1 to 4 channels", quote(out), {}});
  if (!one || shape[0] == 1) return;
  throw ConfigError({"--out", fmt::format("FOLDER/ or FILE.npy, as there are {} pictures", shape[0]), quote(out), {}});
}

void write_restored(const std::string& out, const StoredPictures& pictures) {
  check_restored_form(out, pictures.values.sizes().vec());
  if (out.ends_with(".npy")) {
    write_npy(out, pictures.values);
  } else if (out.ends_with('/')) {
    write_pictures(out, pictures.values, pictures.names);
  } else {
    write_png(out, pictures.values[0]);
  }
}

}  // namespace vaetl::recipe
