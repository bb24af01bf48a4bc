// Pictures as people keep them: a folder, an archive of one (tar, zip; tar also compressed), or a CSV list of names and
// labels. Images (N, C, H, W) uint8, labels (N) int64.
//   class/*.jpg                       classes, numbered by name
//   train/class/*.jpg, test/class/…   splits; val, valid or validation is the test split where there is no test
//   *.jpg                             no labels
// PNG and JPEG of any kind (io/picture.hpp); folders below a class belong to it, one folder around everything is looked
// through, hidden files are ignored. Links that lead out of the folder are left out.
//
//   folder:photos?size=[224,224]&resize=256
//   folder:birds.tar.xz?test_share=0.2
//   folder:labels.csv?files=name&target=species&size=[64,64]
//
// DataError: pictures of several sizes without `size`, a test class that the training data lack.
#pragma once
#include "vaetl/data/further.hpp"
#include "vaetl/data/reader.hpp"
#include "vaetl/data/readers/picture_fit.hpp"

namespace vaetl::readers {

class Folder final : public Reader, public ReadsFurther {
 public:
  static constexpr const char* name = "folder";
  struct Options {
    std::int64_t channels = 0;
    std::vector<std::int64_t> size = {};
    std::int64_t resize = 0;
    std::string fit = "crop", filter = "bilinear";
    std::vector<std::string> classes = {};
    std::string files = {}, target = {};
    std::string test = {};
    double test_share = 0;
    std::int64_t memory = 2048;
    bool check = true;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          field("channels", &O::channels, "1 grey, 3 RGB, 4 RGBA; 0: what all have, else RGB where any has colour",
                between(0, 4)),
          field("size", &O::size, "[height, width] of every image; empty: all have one size", between(1, 16384)),
          field("resize", &O::resize, "length of the shorter side before the middle is kept; 0: as `fit` needs",
                between(0, 16384)),
          choice("fit", &O::fit, "crop: cover the size and keep the middle; pad: fit inside, fill with 0; stretch",
                 {"crop", "pad", "stretch"}),
          choice("filter", &O::filter, "of the resizing, antialiased", {"bilinear", "bicubic"}),
          field("classes", &O::classes, "names in the order of the labels; empty: those found, sorted"),
          field("files", &O::files, "column of a CSV list with the files' names; empty: the first"),
          field("target", &O::target, "column of a CSV list with the labels; empty: none"),
          field("test", &O::test, "folder, archive or list that is the test split"),
          field("test_share", &O::test_share, "share held out as the test split", between(0, 0.95)),
          field("memory", &O::memory, "MiB that decoded pictures may take; more are decoded at each use",
                between(0, 1e9)),
          field("check", &O::check, "decode every picture at opening also where they are not kept")};
    }
    void validate() const;
  };
  explicit Folder(Options options) : options_(std::move(options)) { options_.validate(); }
  Splits open(const std::filesystem::path& path, const Reading& reading) const override;
  std::unique_ptr<FurtherStream> further(const Place& place) const override;  // files by name

 private:
  Options options_;
};

}  // namespace vaetl::readers
