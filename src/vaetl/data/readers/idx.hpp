// A folder of IDX files: images (N, 1, H, W) uint8, labels (N) int64. A file is told by its name: `images` or `idx3`
// against `labels` or `idx1`, `t10k` or `test` against `train`; without either of these it is training data. A split
// that the folder lacks is empty (size 0); images without labels are data without `target`. Where a file stands there
// both as it is and with .gz, the former is read; hidden files are ignored. Classes without names are called "0", "1",
// ….
#pragma once
#include "vaetl/data/reader.hpp"

namespace vaetl::readers {

class Idx final : public Reader {
 public:
  static constexpr const char* name = "idx";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  explicit Idx(const Options&) {}
  Splits open(const std::filesystem::path& path, const Reading& reading) const override;
};

// One IDX file of unsigned bytes, of the shape that its header gives. The size equation is checked first: a truncated
// or over-long file is a DataError that names both sizes.
at::Tensor read_idx(const std::filesystem::path& file);

}  // namespace vaetl::readers
