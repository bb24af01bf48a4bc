// A feed whose next batches are prepared by threads while the last one is worked on. A batch is a pure function of its
// place, so that neither the number of threads nor the order of calls changes any; at most workers + 1 batches wait.
//
//   Prefetch ahead(Feed(data, preprocess, {.batch_size = 64}), automatic_workers(data), steps);
//   Batch batch = ahead.at(epoch, step);
#pragma once
#include <condition_variable>
#include <exception>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "vaetl/data/feed.hpp"

namespace vaetl {

class Prefetch {
 public:
  // `steps`: how many there are, counted over the epochs; nothing is prepared beyond. workers 0: no threads, at() is
  // the feed's. The workers share at::get_num_threads() among them: a gather that runs on all of those in the program
  // runs on its worker's share, one at least.
  Prefetch(Feed feed, std::int64_t workers, std::int64_t steps = std::numeric_limits<std::int64_t>::max());
  ~Prefetch();
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  const Feed& feed() const { return feed_; }
  // The feed's batch; what its computation throws is thrown here, at its place. The next ones in order are prepared
  // meanwhile: any other place may be asked for, at the price of a wait. From one thread at a time.
  Batch at(std::int64_t epoch, std::int64_t step);

 private:
  struct Slot {
    std::optional<Batch> batch = {};
    std::exception_ptr error = {};
    bool done() const { return batch.has_value() || error != nullptr; }
  };

  void work();
  void start_from(std::int64_t place);
  bool may_claim() const { return next_ < limit_; }

  Feed feed_;
  std::int64_t steps_an_epoch_, steps_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;
  std::condition_variable claimable_, finished_;
  std::map<std::int64_t, Slot> slots_;  // by place: epoch · steps + step; claimed or done
  std::int64_t next_ = 0, limit_ = 0;   // places [next_, limit_) are to be claimed, but for those in slots_
  bool stop_ = false;
};

// Threads worth having for these data: none, unless some stream decodes as it gathers (pictures, sound) and LibTorch
// may use 4 threads or more; then half of those, 4 at most. Copying and augmenting are not worth one: they run on all
// of LibTorch's threads already.
std::int64_t automatic_workers(const Pipeline& data);

}  // namespace vaetl
