// Callbacks that write files into the run folder. Without a folder they do nothing. Rows and curves go on where a run
// is resumed: what an interrupted one wrote beyond its checkpoint is dropped.
#pragma once
#include <memory>
#include <string_view>

#include "vaetl/train/callback.hpp"

namespace vaetl {

class EventFile;

// Whether an epoch that is a multiple of `every` has ended since the last time; entries of the history may be several
// epochs apart.
class EveryEpochs {
 public:
  explicit EveryEpochs(std::int64_t every) : every_(every) {}
  void begin(std::int64_t epoch) { done_ = epoch; }  // of a resumed run
  bool due(std::int64_t epoch);                      // the epoch that ended; every 0: never

 private:
  std::int64_t every_, done_ = 0;
};

namespace callbacks {

// metrics.csv: the entries of metrics.jsonl, a row each, under the names of all columns.
class Csv final : public Callback {
 public:
  static constexpr std::string_view name = "csv";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  explicit Csv(Options /*options*/) {}
  void on_begin(Progress& progress) override;
  void on_epoch(Progress& progress) override;

 private:
  void write(const std::string& file) const;
  std::vector<std::map<std::string, std::string>> rows_;
};

// events/: losses at every log point as train/TERM, entries of the history as epoch/TERM and validation/METRIC, weights
// by layer group as histograms, what other callbacks draw as images, the recipe and notices as text.
class TensorBoard : public Callback {
 public:
  static constexpr std::string_view name = "tensorboard";
  struct Options {
    std::int64_t histograms = 1;
    static constexpr auto fields() {
      return std::tuple{field("histograms", &Options::histograms,
                              "epochs between histograms of the weights by layer group; 0: none", at_least(0))};
    }
  };
  explicit TensorBoard(Options options);
  ~TensorBoard() override;
  void on_begin(Progress& progress) override;
  void on_log(Progress& progress) override;
  void on_epoch(Progress& progress) override;
  void on_notice(Progress& progress) override;
  void on_end(Progress& progress) override;

 private:
  void write_histograms(const Progress& progress);
  void take_pictures(Progress& progress);

  EveryEpochs histograms_;
  std::unique_ptr<EventFile> events_;  // from on_begin on, where there is a folder
  std::string notices_;
};

}  // namespace callbacks
}  // namespace vaetl
