#include "apps/support/signals.hpp"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace vaetl::apps {
namespace {

static_assert(std::atomic<int>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);
std::atomic<int> caught = 0;
std::atomic<std::int64_t> caught_at = 0;  // milliseconds

std::int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{1000} * time.tv_sec + time.tv_nsec / 1'000'000;
}

// Only what is safe in a signal handler. A launcher may send one request twice, to the process and to its group: what
// comes in the same moment is one request.
void handle(int signal) {
  if (caught == 0) {
    caught_at = now();
    caught = signal;
  } else if (signal == SIGINT && now() - caught_at >= 500) {
    ::_exit(static_cast<int>(Exit::interrupted));
  }
}

class StopOnSignal final : public Callback {
 public:
  void on_begin(Progress& progress) override { look(progress); }
  void on_step(Progress& progress) override { look(progress); }
  void on_wait(Progress& progress) override { look(progress); }

 private:
  static void look(Progress& progress) {
    if (caught_signal()) progress.stop = true;
  }
};

}  // namespace

void catch_signals() {
  struct sigaction action = {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

std::optional<Exit> caught_signal() {
  if (caught == 0) return std::nullopt;
  return caught == SIGINT ? Exit::interrupted : Exit::terminated;
}

std::shared_ptr<Callback> stop_on_signal() { return std::make_shared<StopOnSignal>(); }

}  // namespace vaetl::apps
