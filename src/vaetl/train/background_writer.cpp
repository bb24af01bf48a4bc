#include "vaetl/train/background_writer.hpp"

#include <utility>

namespace vaetl {
namespace {

constexpr std::size_t most_in_line = 2;

}  // namespace

BackgroundWriter::~BackgroundWriter() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void BackgroundWriter::make_room() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return jobs_.size() < most_in_line; });
}

void BackgroundWriter::add(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  changed_.notify_all();
}

void BackgroundWriter::check() {
  if (!failed_) return;
  const std::lock_guard lock(mutex_);
  failed_ = false;
  std::rethrow_exception(std::exchange(error_, nullptr));
}

void BackgroundWriter::wait() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return jobs_.empty(); });
  }
  check();
}

void BackgroundWriter::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    run_first(lock);
    changed_.notify_all();
  }
}

void BackgroundWriter::run_first(std::unique_lock<std::mutex>& lock) {
  std::exception_ptr error;
  const auto& job = jobs_.front();  // add() leaves references to the elements of a deque alone
  lock.unlock();
  try {
    job();
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  jobs_.pop_front();
  if (!error) return;
  error_ = error;
  failed_ = true;
  jobs_.clear();
}

}  // namespace vaetl
