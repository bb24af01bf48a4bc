// The ten digits, spoken by the program espeak-ng: WAV files of 16 bits, one channel and 16 kHz, in the folders
// train/0 … train/9 and test/0 … test/9 (data/readers/sound.hpp), each with voice, speed and pitch in its name. The
// voices of the test files are none of the training ones. Without espeak-ng it is a ConfigError that says what to
// install. The program is run with its arguments as they are, by no shell.
#pragma once
#include "vaetl/data/make.hpp"

namespace vaetl::makers {

class SpokenDigits final : public Maker {
 public:
  static constexpr const char* name = "spoken-digits";
  struct Options {
    std::int64_t count = 1000, rate = 16000;
    double test_share = 0.25;
    std::vector<std::string> train_voices = {"en-us", "en-gb-x-rp", "en-029", "en-us+f2", "en-gb-x-rp+m3", "en-029+f4"};
    std::vector<std::string> test_voices = {"en-gb-scotland", "en-gb-x-gbclan+f3", "en-gb-x-gbcwmd+m5"};
    std::int64_t slowest = 120, fastest = 220, lowest = 25, highest = 75;
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{field("count", &O::count, "files", between(20, 1e6)),
                        field("rate", &O::rate, "samples a second", between(8000, 48000)),
                        field("test_share", &O::test_share, "share of them that is the test split", between(0, 0.9)),
                        field("train_voices", &O::train_voices, "voices of espeak-ng, +VARIANT for another speaker"),
                        field("test_voices", &O::test_voices, "of the test split"),
                        field("slowest", &O::slowest, "words a minute", between(80, 450)),
                        field("fastest", &O::fastest, "words a minute", between(80, 450)),
                        field("lowest", &O::lowest, "pitch", between(0, 99)),
                        field("highest", &O::highest, "pitch", between(0, 99))};
    }
    void validate() const;
  };
  explicit SpokenDigits(Options options) : options_(std::move(options)) {}
  const char* out() const override { return "FOLDER"; }
  Made make(const std::filesystem::path& out, const Making& making) const override;

 private:
  Options options_;
};

}  // namespace vaetl::makers
