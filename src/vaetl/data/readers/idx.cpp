// IDX: two zero bytes, the type's code, the number of dimensions, each dimension as a big-endian uint32, then the
// values.
#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include <future>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/idx.hpp"
#include "vaetl/io/gzip.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;

constexpr int image_dims = 3, label_dims = 1;  // (N, H, W) and (N)

std::string type_text(unsigned char code) {
  switch (code) {
    case 0x08:
      return "unsigned bytes";
    case 0x09:
      return "signed bytes";
    case 0x0b:
      return "16-bit integers";
    case 0x0c:
      return "32-bit integers";
    case 0x0d:
      return "32-bit floats";
    case 0x0e:
      return "64-bit floats";
    default:
      return fmt::format("the type 0x{:02x}", code);
  }
}

void read_header(ByteReader& reader, const fs::path& file, unsigned char* to, std::size_t size) {
  const std::size_t count = reader.read(to, size);
  if (count == size) return;
  throw DataError({file.string(),
                   fmt::format("an IDX file, its header at least {} bytes", reader.position() - count + size),
                   fmt::format("{} bytes", reader.position()), "fetch or copy the file again"});
}

// Type and number of dimensions.
int read_magic(ByteReader& reader, const fs::path& file) {
  unsigned char magic[4] = {};
  read_header(reader, file, magic, sizeof(magic));
  if (magic[0] != 0 || magic[1] != 0 || magic[2] < 0x08 || magic[2] > 0x0e || magic[3] == 0) {
    throw DataError({file.string(),
                     "an IDX file, beginning with the bytes 00 00, a type and a number of dimensions",
                     fmt::format("{:02x}", fmt::join(magic, " ")),
                     {}});
  }
  if (magic[2] != 0x08) throw DataError({file.string(), "IDX values of unsigned bytes", type_text(magic[2]), {}});
  return magic[3];
}

std::vector<std::int64_t> read_shape(ByteReader& reader, const fs::path& file, int dims) {
  std::vector<std::int64_t> shape;
  for (int i = 0; i < dims; ++i) {
    unsigned char b[4] = {};
    read_header(reader, file, b, sizeof(b));
    shape.push_back(std::int64_t{b[0]} << 24 | std::int64_t{b[1]} << 16 | std::int64_t{b[2]} << 8 | b[3]);
  }
  return shape;
}

// The product, which must neither be 0 nor leave 63 bits.
std::uint64_t count_values(const fs::path& file, const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (std::int64_t size : shape) {
    const bool overflow = __builtin_mul_overflow(count, size, &count);
    if (!overflow && count > 0) continue;
    throw DataError({file.string(),
                     overflow ? "dimensions whose product fits 63 bits" : "dimensions above 0",
                     shape_text(shape),
                     {}});
  }
  return static_cast<std::uint64_t>(count);
}

at::Tensor read_values(ByteReader& reader, const fs::path& file, int dims, Sha256* digest = nullptr) {
  const auto shape = read_shape(reader, file, dims);
  const auto because = fmt::format("its header says {} values and takes {}", shape_text(shape), reader.position());
  return reader.rest(count_values(file, shape), because, digest).view(shape);
}

at::Tensor read_kind(const fs::path& file, int dims, Sha256* digest = nullptr) {
  ByteReader reader(file);
  const int found = read_magic(reader, file);
  if (found == dims) return read_values(reader, file, dims, digest);
  const bool swapped = found == (dims == image_dims ? label_dims : image_dims);
  auto text = [](int n) { return n == image_dims ? "images (3 dimensions)" : "labels (1 dimension)"; };
  throw DataError({file.string(), text(dims), swapped ? text(found) : fmt::format("{} dimensions", found),
                   swapped ? "the images' and the labels' file have each other's name" : ""});
}

enum class Split { train, test };

struct Pair {
  fs::path images = {}, labels = {};
};

struct Listing {
  Pair train = {}, test = {};
  std::vector<std::string> others = {};
};

bool is_gzip_of(const fs::path& compressed, const fs::path& plain) {
  return compressed == fs::path(plain.string() + ".gz");
}

void assign(fs::path& place, const fs::path& file, const char* what) {
  if (place.empty() || is_gzip_of(place, file)) {
    place = file;
  } else if (!is_gzip_of(file, place)) {
    throw DataError({file.parent_path().string(), fmt::format("one file of {}", what),
                     fmt::format("{} and {}", quote(place.filename().string()), quote(file.filename().string())),
                     "give each set a folder of its own"});
  }
}

void classify(Listing& listing, const fs::path& file) {
  std::string name = file.filename().string();
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  auto says = [&](std::string_view word) { return name.find(word) != std::string::npos; };
  const bool test = says("t10k") || (says("test") && !says("train"));
  Pair& pair = test ? listing.test : listing.train;
  if (says("images") || (says("idx3") && !says("labels"))) {
    assign(pair.images, file, test ? "test images" : "training images");
  } else if (says("labels") || says("idx1")) {
    assign(pair.labels, file, test ? "test labels" : "training labels");
  } else {
    listing.others.push_back(quote(file.filename().string()));
  }
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  if (!fs::exists(folder, error))
    throw DataError({folder.string(), "a folder of IDX files", "nothing there", "check the path"});
  if (!fs::is_directory(folder, error)) {
    throw DataError({folder.string(), "a folder of IDX files", "a file", "give the folder that holds it"});
  }
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!it->is_directory(ignored) && !it->path().filename().string().starts_with('.')) files.push_back(it->path());
  }
  if (error) throw DataError({folder.string(), "a folder that can be read", quote(error.message()), {}});
  std::sort(files.begin(), files.end());
  return files;
}

Listing list(const fs::path& folder) {
  Listing listing;
  for (const auto& file : files_of(folder)) classify(listing, file);
  const bool any = !listing.train.images.empty() || !listing.test.images.empty();
  for (const Pair* pair : {&listing.train, &listing.test}) {
    if (pair->images.empty() && !pair->labels.empty()) {
      throw DataError({folder.string(), "images beside " + quote(pair->labels.filename().string()), "none",
                       "their file's name has `images` in it"});
    }
  }
  if (any) return listing;
  listing.others.resize(std::min<std::size_t>(listing.others.size(), 5));
  throw DataError({folder.string(),
                   "IDX files with `images` and `labels` in their names",
                   listing.others.empty() ? "an empty folder" : "only " + join(listing.others),
                   {}});
}

struct DigestedPair {
  Fields fields = {};
  DataDigest digest = {};
};

DigestedPair read_pair(const Pair& pair) {
  DigestedPair result;
  Fields& fields = result.fields;
  if (pair.images.empty()) return result;
  Sha256 digest;
  const at::Tensor images = read_kind(pair.images, image_dims, &digest);
  fields.set("input", images.unsqueeze(1));
  result.digest.set("input", fields.input(), std::move(digest));
  if (pair.labels.empty()) return result;
  const at::Tensor labels = read_kind(pair.labels, label_dims);
  if (labels.size(0) != images.size(0)) {
    throw DataError({pair.labels.string(), fmt::format("{} labels, one for each image", images.size(0)),
                     fmt::format("{}", labels.size(0)), "images and labels are of different sets"});
  }
  fields.set("target", labels.to(at::kLong));
  return result;
}

Fields none_of(const Fields& fields) {
  Fields result;
  for (const auto& [key, values] : fields) result.set(key, values.narrow(0, 0, 0));
  return result;
}

// As many as the largest label of either split asks for, so that both have the same K.
std::int64_t count_classes(const Fields& train, const Fields& test) {
  std::int64_t classes = 0;
  for (const Fields* fields : {&train, &test}) {
    if (fields->has("target")) classes = std::max(classes, fields->target().max().item<std::int64_t>() + 1);
  }
  return classes;
}

}  // namespace

at::Tensor read_idx(const fs::path& file) {
  ByteReader reader(file);
  const int dims = read_magic(reader, file);
  return read_values(reader, file, dims);
}

Splits Idx::open(const fs::path& folder, const Reading& reading) const {
  const Listing files = list(folder);
  auto loading = std::async(std::launch::async, [&] { return read_pair(files.test); });
  auto [train, train_digest] = read_pair(files.train);
  auto [test, test_digest] = loading.get();
  DatasetInfo info = reading.about;
  if (info.classes.empty()) info.classes = numbered_classes(count_classes(train, test));
  if (train.keys().empty()) train = none_of(test);
  if (test.keys().empty()) test = none_of(train);
  const Fields empty = none_of(train);
  return {make_split(std::move(train), info, "train", std::move(train_digest)), make_split(empty, info, "validation"),
          make_split(std::move(test), info, "test", std::move(test_digest))};
}

}  // namespace vaetl::readers
