// A packed file (data/packed.hpp), mapped: it opens in milliseconds whatever its size, and examples are read when they
// are gathered. Its own description wins over a known set's. Sets above 64 MiB have a window of 64 MiB, so that a
// shuffled epoch reads them run by run. A damaged or foreign header is a DataError; damaged values are found by
// verify_packed(), which reads all of them.
#pragma once
#include "vaetl/data/reader.hpp"

namespace vaetl::readers {

class Packed final : public Reader {
 public:
  static constexpr const char* name = "packed";
  struct Options {
    double test_share = 0;
    static constexpr auto fields() {
      return std::tuple{field("test_share", &Options::test_share,
                              "share of train to hold out as test, where the file has no test split", between(0, 0.9))};
    }
  };
  explicit Packed(const Options& options) : options_(options) {}
  Splits open(const std::filesystem::path& path, const Reading& reading) const override;

 private:
  Options options_;
};

}  // namespace vaetl::readers
