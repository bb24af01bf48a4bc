#include "vaetl/data/prefetch.hpp"

#include <ATen/Parallel.h>

#include "vaetl/core/denormals.hpp"
#include "vaetl/core/parallel.hpp"

namespace vaetl {

Prefetch::Prefetch(Feed feed, std::int64_t workers, std::int64_t steps)
    : feed_(std::move(feed)), steps_an_epoch_(feed_.steps_per_epoch()), steps_(steps) {
  const std::int64_t share = std::max<std::int64_t>(1, at::get_num_threads() / std::max<std::int64_t>(1, workers));
  for (std::int64_t i = 0; i < workers; ++i) {
    threads_.emplace_back([this, share] {
      use_threads(share);
      const FlushDenormals as_without_workers;
      work();
    });
  }
}

Prefetch::~Prefetch() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  claimable_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Prefetch::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    claimable_.wait(lock, [&] { return stop_ || may_claim(); });
    if (stop_) return;
    const std::int64_t place = next_++;
    if (!slots_.try_emplace(place).second) continue;
    lock.unlock();
    Slot result;
    try {
      result.batch = feed_.at(place / steps_an_epoch_, place % steps_an_epoch_);
    } catch (...) {
      result.error = std::current_exception();
    }
    lock.lock();
    // Somebody may have asked for another place meanwhile, and for this one again: its batch is the same.
    const auto found = slots_.find(place);
    if (found != slots_.end() && !found->second.done()) found->second = std::move(result);
    finished_.notify_all();
  }
}

// Forgets what is not wanted from here on, and has the rest claimed.
void Prefetch::start_from(std::int64_t place) {
  limit_ = std::min(place + 1 + static_cast<std::int64_t>(threads_.size()), std::max(place + 1, steps_));
  std::erase_if(slots_, [&](const auto& slot) { return slot.first < place || slot.first >= limit_; });
  next_ = slots_.contains(place) ? std::max(next_, place) : place;
  claimable_.notify_all();
}

Batch Prefetch::at(std::int64_t epoch, std::int64_t step) {
  const bool outside = epoch < 0 || step < 0 || step >= steps_an_epoch_;
  if (threads_.empty() || outside) return feed_.at(epoch, step);
  const std::int64_t place = epoch * steps_an_epoch_ + step;
  std::unique_lock lock(mutex_);
  start_from(place);
  finished_.wait(lock, [&] {
    const auto found = slots_.find(place);
    return found != slots_.end() && found->second.done();
  });
  Slot slot = std::move(slots_.extract(place).mapped());
  if (slot.error) std::rethrow_exception(slot.error);
  return *std::move(slot.batch);
}

std::int64_t automatic_workers(const Pipeline& data) {
  const bool decodes =
      std::any_of(data.streams.begin(), data.streams.end(), [](const Stream& s) { return s.data.decodes(); });
  const std::int64_t threads = at::get_num_threads();
  return decodes && threads >= 4 ? std::min<std::int64_t>(threads / 2, 4) : 0;
}

}  // namespace vaetl
