// References to data. NAME is a known set ("fashion-mnist", "mnist"), looked for along VAETL_DATA (a path list: each
// folder's subfolder NAME, or the folder itself where it is called NAME) and then where its Debian package puts it.
// KIND:PATH is the user's own: "idx:DIR" takes any *images* and *labels* pair, gzip or not.
//
//   auto fashion = data::open("fashion-mnist");
//   auto mine    = data::open("idx:/home/me/scans");
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "vaetl/data/dataset.hpp"

namespace vaetl::data {

// ConfigError for a name or kind that nobody knows, with the nearest. DataError: not found (says where it looked and
// where to get it), or files that do not hold what their headers say.
Splits open(const std::string& reference);

struct KnownSet {
  std::string name = {}, licence = {};
  std::string package = {},
              folder = {};  // the Debian package that has it, and where that puts it; empty: there is none
  std::vector<std::string> classes = {};
};
const std::vector<KnownSet>& known_sets();

// A folder of IDX files: images (N, 1, H, W) uint8, labels (N) int64. A file is told by its name: `images` or `idx3`
// against `labels` or `idx1`, `t10k` or `test` against `train`; without either of these it is training data. A split
// that the folder lacks is empty (size 0); images without labels are data without `target`. Where a file stands there
// both as it is and with .gz, the former is read; hidden files are ignored. Classes that `known` does not name are
// called "0", "1", ….
Splits open_idx(const std::filesystem::path& folder, const DatasetInfo& known = {});

// One IDX file of unsigned bytes, of the shape that its header gives. The size equation is checked first: a truncated
// or over-long file is a DataError that names both sizes.
at::Tensor read_idx(const std::filesystem::path& file);

}  // namespace vaetl::data
