// Nanoseconds that a value takes from one core to another and back: two pinned threads answer each other over one
// atomic. Synchronising threads costs many of these at every operator, so a disturbed machine shows here first. Prints
// the median of 20 parts.
//
//   bench_round_trip [FIRST_CPU SECOND_CPU]
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

constexpr int rounds = 100'000, parts = 20;
constexpr double most_seconds = 2;  // for a machine that runs the two one after the other
using Clock = std::chrono::steady_clock;

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double measure(std::atomic<int>& ball, int base) {
  const auto start = Clock::now();
  int round = 0;
  for (; round < rounds / parts; ++round) {
    const int sent = base + 2 * round + 1;
    ball.store(sent, std::memory_order_release);
    while (ball.load(std::memory_order_acquire) != sent + 1) {
    }
    if (round % 16 == 0 && seconds_since(start) > most_seconds / parts) break;
  }
  return seconds_since(start) * 1e9 / std::max(1, round);
}

std::array<int, 2> first_two_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE && cpus.size() < 2; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) cpus.push_back(cpu);
  }
  return {cpus.front(), cpus.back()};
}

}  // namespace

int main(int argc, char** argv) {
  const std::array<int, 2> cpus = argc > 2 ? std::array{std::atoi(argv[1]), std::atoi(argv[2])} : first_two_cpus();
  if (cpus[0] == cpus[1]) {
    std::fprintf(stderr, "a round trip needs two cores\n");
    return 1;
  }
  alignas(64) static std::atomic<int> ball{0};
  static std::atomic<bool> done{false};
  std::thread answers([&] {
    pin(cpus[1]);
    while (!done.load(std::memory_order_relaxed)) {
      const int seen = ball.load(std::memory_order_acquire);
      if (seen % 2 == 1) ball.store(seen + 1, std::memory_order_release);
    }
  });
  pin(cpus[0]);
  std::array<double, parts> nanoseconds{};
  for (int part = 0; part < parts; ++part)
    nanoseconds[static_cast<std::size_t>(part)] = measure(ball, part * 2 * rounds);
  done = true;
  answers.join();
  std::nth_element(nanoseconds.begin(), nanoseconds.begin() + parts / 2, nanoseconds.end());
  std::printf("%.0f\n", nanoseconds[parts / 2]);
}
