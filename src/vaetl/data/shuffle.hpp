// The order in which one stream's examples come: a pure function of (seed, stream, pass), asked for range by range.
//
// A set whose every example is cheap to read is permuted as a whole (8 bytes an example are kept). A larger one, whose
// window W is below its size N, is shuffled by chunk, then within a window: chunks of W/16 neighbours come in random
// order, and each 16 of them, about W examples, are permuted together. So a batch touches 16 chunks, or 32 where it
// lies across two windows, every example comes once a pass, and what is kept are the chunks' order and two windows'.
#pragma once
#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace vaetl {

class Shuffle {
 public:
  // Told of runs of neighbours before they are asked for, one window ahead.
  using Expect = std::function<void(std::int64_t start, std::int64_t count)>;
  Shuffle(std::int64_t size, std::int64_t window, std::uint64_t seed, std::int64_t stream, Expect expect = {});
  // Positions of the examples that come at [begin, end) of a pass: int64 (end − begin). From any thread, in any order.
  at::Tensor range(std::int64_t pass, std::int64_t begin, std::int64_t end) const;

 private:
  struct Chunks {
    std::int64_t pass = -1;
    at::Tensor order = {};     // of the chunks: int64
    std::int64_t last_at = 0;  // where the last chunk, the shorter one, comes
  };
  struct Block {
    std::int64_t key = -1;
    std::int64_t start = 0;
    at::Tensor order = {};  // of the examples: int64
  };

  struct Run {
    std::int64_t start = 0, count = 0;
  };

  std::int64_t start_of(const Chunks& chunks, std::int64_t block) const;
  Chunks& chunks(std::int64_t pass) const;
  const Block& block(std::int64_t pass, std::int64_t at) const;
  at::Tensor shuffled(std::int64_t pass, std::int64_t block) const;
  std::vector<Run> runs(const Chunks& chunks, std::int64_t block) const;
  void announce(std::int64_t pass, std::int64_t block) const;
  std::uint64_t key(std::int64_t pass, std::int64_t part) const;

  std::int64_t size_, chunk_, chunks_, blocks_;
  std::uint64_t seed_;
  std::int64_t stream_;
  Expect expect_;
  mutable std::mutex mutex_;
  mutable std::array<Chunks, 2> chunk_orders_;  // of this pass and the next: threads that work ahead need both
  mutable std::array<Block, 2> kept_;
};

}  // namespace vaetl
