// Batches as a pure function of (seed, epoch, step): resume and prefetching are only choices of arguments. Nothing here
// touches LibTorch's default generators.
#pragma once
#include <c10/core/Device.h>

#include "vaetl/data/pipeline.hpp"
#include "vaetl/data/shuffle.hpp"

namespace vaetl {

struct FeedOptions {
  std::int64_t batch_size = 128;
  std::uint64_t seed = 0;
  c10::Device device = c10::kCPU;
};

class Feed {
 public:
  // ConfigError for options out of range, DataError for a stream without examples, or with fewer than lanes.
  Feed(Pipeline pipeline, Preprocess preprocess, FeedOptions options);
  const Pipeline& pipeline() const { return pipeline_; }
  std::int64_t steps_per_epoch() const;  // of the first stream, its last batch may be smaller
  // Every stream's batch: gathered as stored (on the device, where the set fits there), moved to it, preprocessed, then
  // augmented (once a view). A shorter stream wraps with a fresh permutation; a longer one goes on where the last epoch
  // left it; both give full batches always. Each has "index" (N) int64: the positions in its dataset. View 0 is
  // "input", view v "input.v". The same arguments give the same batch, in any order of calls and from any thread.
  Batch at(std::int64_t epoch, std::int64_t step) const;

 private:
  std::int64_t batch_size(std::size_t stream) const;
  at::Tensor indices(std::size_t stream, std::int64_t epoch, std::int64_t step) const;
  at::Tensor wrapped(std::size_t stream, std::int64_t start) const;
  Fields fields(std::size_t stream, std::int64_t epoch, std::int64_t step) const;
  Fields view(Fields fields, std::size_t stream, std::int64_t which, std::int64_t epoch, std::int64_t step) const;

  Pipeline pipeline_;
  Preprocess preprocess_;
  FeedOptions options_;
  std::vector<std::vector<std::shared_ptr<Transform>>> augment_;
  std::vector<std::int64_t> first_view_;            // of each stream, counted over all of them: the augmentation's key
  std::vector<std::shared_ptr<Shuffle>> shuffles_;  // one a stream
};

}  // namespace vaetl
