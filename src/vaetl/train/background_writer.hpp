// Writes files while training goes on: one thread, one job after the other, in the order in which they were added. What
// a job throws is thrown by the next call of check() or wait(); the jobs behind it are dropped. Internal to train.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace vaetl {

class BackgroundWriter {
 public:
  BackgroundWriter() = default;
  ~BackgroundWriter();  // after the jobs there are; their errors are lost
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;

  void make_room();  // waits while two jobs are in line, so that a slow disk does not fill the memory with copies
  void add(std::function<void()> job);
  void check();  // from the training's thread, at every step
  void wait();   // until everything is written

 private:
  void work();
  void run_first(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;  // the first one is at work
  std::exception_ptr error_;
  std::atomic<bool> failed_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace vaetl
