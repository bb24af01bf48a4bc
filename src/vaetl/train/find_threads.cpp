#include "vaetl/train/find_threads.hpp"

#include <ATen/Parallel.h>

#include <limits>
#include <thread>

#include "vaetl/train/time_steps.hpp"

namespace vaetl {
namespace {

class ThreadsGuard {
 public:
  ThreadsGuard() : before_(at::get_num_threads()) {}
  ~ThreadsGuard() { at::set_num_threads(before_); }
  ThreadsGuard(const ThreadsGuard&) = delete;
  ThreadsGuard& operator=(const ThreadsGuard&) = delete;

 private:
  int before_;
};

std::vector<ThreadCounts::Point> counts_up_to(int most) {
  const double unknown = std::numeric_limits<double>::infinity();
  std::vector<ThreadCounts::Point> points;
  for (int count = 1; count < most; count *= 2) points.push_back({count, unknown});
  points.push_back({most, unknown});
  return points;
}

}  // namespace

int suggested_threads(const std::vector<ThreadCounts::Point>& points, double nearly) {
  double best = std::numeric_limits<double>::infinity();
  for (const auto& point : points) best = std::min(best, point.seconds_a_step);
  for (const auto& point : points) {
    if (point.seconds_a_step * nearly <= best) return point.threads;
  }
  return 1;
}

ThreadCounts find_threads(const TrainerOptions& options, const Model& model,
                          const std::function<std::shared_ptr<Objective>()>& make_objective, const Pipeline& data,
                          const Tuning& tuning, const FindThreadsOptions& how) {
  const ThreadsGuard guard;
  Pipeline trial = data;
  trial.validation.reset();
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  ThreadCounts counts{.points = counts_up_to(how.most > 0 ? how.most : cores)};
  for (int turn = 0; turn < how.turns; ++turn) {
    for (auto& point : counts.points) {
      at::set_num_threads(point.threads);
      const StepTime time = time_steps(options, clone(model), make_objective(), trial, tuning, how.seconds);
      point.seconds_a_step = std::min(point.seconds_a_step, time.seconds);
    }
  }
  counts.suggestion = suggested_threads(counts.points, how.nearly);
  return counts;
}

}  // namespace vaetl
