// On how many threads of the CPU training is fastest: a few steps on 1, 2, 4, … threads, in turns, as neighbours on the
// machine come and go. What is suggested is the smallest number that is nearly as fast as the fastest: small models
// often gain nothing by a second thread. The model is copied and stays as it is, and so does the number of threads.
//
//   const ThreadCounts counts = find_threads({}, *model, [] { return make<objectives::CrossEntropy>(); }, data.train);
//   at::set_num_threads(counts.suggestion);
#pragma once
#include <functional>
#include <vector>

#include "vaetl/train/trainer.hpp"

namespace vaetl {

struct FindThreadsOptions {
  int most = 0;           // threads; 0: as many as cores
  int turns = 3;          // the best of which counts
  double seconds = 0.15;  // least time of each
  double nearly = 0.97;   // of the fastest: what is suggested is at least so fast
};

struct ThreadCounts {
  struct Point {
    int threads = 1;
    double seconds_a_step = 0;
  };
  std::vector<Point> points = {};
  int suggestion = 1;
};

// What Trainer::fit throws.
ThreadCounts find_threads(const TrainerOptions& options, const Model& model,
                          const std::function<std::shared_ptr<Objective>()>& make_objective, const Pipeline& data,
                          const Tuning& tuning = {}, const FindThreadsOptions& how = {});

// What is decided from the times, fewest threads first. Internal to train.
int suggested_threads(const std::vector<ThreadCounts::Point>& points, double nearly);

}  // namespace vaetl
