// How fast training is at each batch size: a few steps at 16, 32, 64, … examples until memory or the set ends, or two
// doublings bring less than `growth`. What is suggested is the smallest batch that is nearly as fast as the fastest:
// larger ones cost steps and bring no time. The model is copied and stays as it is.
//
//   const BatchSizes sizes = find_batch({}, *model, [] { return make<objectives::CrossEntropy>(); }, data.train);
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "vaetl/train/trainer.hpp"

namespace vaetl {

struct FindBatchOptions {
  std::int64_t smallest = 16, largest = 1 << 20;
  double seconds = 0.3;  // least time that each size is measured for, after two steps that are not
  double growth = 1.05;  // two doublings in a row that bring less end the search
  double nearly = 0.9;   // of the fastest: what is suggested is at least so fast
};

struct BatchSizes {
  struct Point {
    std::int64_t batch_size = 0;
    double samples_per_second = 0, seconds_a_step = 0;
    double peak_mb = 0;  // of the tensors that a step makes
  };
  std::vector<Point> points = {};
  std::int64_t suggestion = 0;
  std::string ended = {};  // why no larger batch was tried
  Json json() const;
};

// The size is that of the first stream; other streams with a size of their own keep it. Each size gets a fresh
// objective. What Trainer::fit throws, but for a batch that does not fit in memory.
BatchSizes find_batch(const TrainerOptions& options, const Model& model,
                      const std::function<std::shared_ptr<Objective>()>& make_objective, const Pipeline& data,
                      const Tuning& tuning = {}, const FindBatchOptions& how = {});

// What is decided from the speeds, smallest batch first. Internal to train.
std::int64_t suggested_batch(const std::vector<BatchSizes::Point>& points, double nearly);
bool stopped_growing(const std::vector<BatchSizes::Point>& points, double growth);

}  // namespace vaetl
