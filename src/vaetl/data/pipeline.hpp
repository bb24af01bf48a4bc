// What fit, evaluate and extract take: named streams of data with their order and augmentation. A Dataset alone is one.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vaetl/data/preprocess.hpp"

namespace vaetl {

// Orders of a stream's N examples in batches of B:
// - shuffle: a fresh permutation every pass; of sets larger than their window (data/shuffle.hpp) by chunk, then within
//   windows;
// - sequential: as they are stored;
// - lanes: for windows of one long text or series, stored one after the other. Step s takes the examples b ⌊N/B⌋ + s,
//   b = 0 … B−1, so that row b of every batch goes on where it stopped in the batch before; an epoch has ⌊N/B⌋ steps,
//   and the N mod B last examples are left out. Only the first stream can be read so.
struct Stream {
  std::string name = "train";
  Dataset data;
  std::int64_t batch_size = 0;    // 0: the Trainer's
  std::string order = "shuffle";  // sequential, lanes
  std::int64_t views = 1;         // 2: "input" and "input.1", independently augmented
  std::vector<Spec<Transform>> augment = {};
};

// Of the stream by itself, in batches of its own size, or else of this; the last batch may be smaller, save in lanes.
std::int64_t steps_per_epoch(const Stream& stream, std::int64_t batch_size);

struct Pipeline {
  Pipeline(Dataset train);  // NOLINT: a dataset is a pipeline of one stream
  explicit Pipeline(std::vector<Stream> streams);
  const Stream& stream(std::string_view name) const;  // DataError lists the streams there are

  std::vector<Stream> streams;
  std::vector<Spec<Transform>> preprocess = {};  // to be fitted; empty: the model's own, or the standard mapping
  std::optional<Dataset> validation = {};
};

}  // namespace vaetl
