// Sound as people keep it: WAV and FLAC files in a folder, an archive of one, or a CSV list, laid out as pictures are
// (data/readers/folder.hpp). `input` int16 (N, S), the mean of the channels, resampled to one rate; longer sound keeps
// its middle, shorter is followed by zeros, and `length` int64 (N) tells its samples. `target`: labels (N) int64.
//
//   data::open("sound:spoken-digits?rate=16000&seconds=1")
//   data::open("sound:clips.csv?files=path&target=word&test_share=0.2")
#pragma once
#include "vaetl/data/further.hpp"
#include "vaetl/data/reader.hpp"

namespace vaetl::readers {

class SoundFiles final : public Reader, public ReadsFurther {
 public:
  static constexpr const char* name = "sound";
  struct Options {
    std::int64_t rate = 0;
    double seconds = 0;
    std::vector<std::string> classes = {};
    std::string files = {}, target = {};
    std::string test = {};
    double test_share = 0;
    std::int64_t memory = 2048;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          field("rate", &O::rate, "samples a second; 0: those of the first training file", between(0, 384000)),
          field("seconds", &O::seconds, "length of every example; 0: of the longest training file", between(0, 600)),
          field("classes", &O::classes, "names in the order of the labels; empty: those found, sorted"),
          field("files", &O::files, "column of a CSV list with the files' names; empty: the first"),
          field("target", &O::target, "column of a CSV list with the labels; empty: none"),
          field("test", &O::test, "folder, archive or list that is the test split"),
          field("test_share", &O::test_share, "share held out as the test split", between(0, 0.95)),
          field("memory", &O::memory, "MiB that decoded sound may take; more is decoded at each use", at_least(0))};
    }
    void validate() const;
  };
  explicit SoundFiles(Options options) : options_(std::move(options)) { options_.validate(); }
  Splits open(const std::filesystem::path& path, const Reading& reading) const override;
  std::unique_ptr<FurtherStream> further(const Place& place) const override;  // files by name

 private:
  Options options_;
};

}  // namespace vaetl::readers
