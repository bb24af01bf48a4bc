// CIFAR-10 and CIFAR-100 in their binary version: images (N, 3, 32, 32) uint8, labels (N) int64. PATH is the folder of
// data_batch_*.bin and test_batch.bin (or train.bin and test.bin), one around it, an archive of either, or one file
// NAME.bin; each file may be compressed (gzip, bzip2, xz, zstd). A record is one label byte, or a coarse and a fine
// one, and 3072 values: rows of the red, the green and the blue plane. Classes are named by batches.meta.txt,
// fine_label_names.txt or coarse_label_names.txt where these are there.
//
// DataError: no such file, one that ends within a record. A record with a label beyond the classes is left out.
#pragma once
#include "vaetl/data/reader.hpp"

namespace vaetl::readers {

class Cifar final : public Reader {
 public:
  static constexpr const char* name = "cifar";
  struct Options {
    std::string labels = "fine";
    std::string test = {};
    double test_share = 0;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          choice("labels", &O::labels, "CIFAR-100's 100 fine or 20 coarse classes", {"fine", "coarse"}),
          field("test", &O::test, "file that is the test split"),
          field("test_share", &O::test_share, "share held out where there is no test split", between(0, 0.95))};
    }
    void validate() const;
  };
  explicit Cifar(Options options) : options_(std::move(options)) { options_.validate(); }
  Splits open(const std::filesystem::path& path, const Reading& reading) const override;

 private:
  Options options_;
};

}  // namespace vaetl::readers
