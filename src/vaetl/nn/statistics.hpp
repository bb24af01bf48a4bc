// Layers that follow what they see in training (batch norm's running statistics, spectral norm's vectors) can be used
// without leaving a trace: in a GAN the critic's update runs the generator, which must stay as it is.
//
//   at::Tensor made = (nn::KeepStatistics(), generator.generate(noise));
#pragma once
#include <utility>

namespace vaetl::nn {

// While one lives, layers of this thread compute as in training and keep their running values.
class KeepStatistics {
 public:
  KeepStatistics() : before_(std::exchange(held, true)) {}
  ~KeepStatistics() { held = before_; }
  KeepStatistics(const KeepStatistics&) = delete;
  KeepStatistics& operator=(const KeepStatistics&) = delete;
  static bool active() { return held; }

 private:
  static inline thread_local bool held = false;
  bool before_;
};

// While one lives, running statistics in training are the plain means over the batches that num_batches_tracked counts.
class CumulativeStatistics {
 public:
  CumulativeStatistics() : before_(std::exchange(held, true)) {}
  ~CumulativeStatistics() { held = before_; }
  CumulativeStatistics(const CumulativeStatistics&) = delete;
  CumulativeStatistics& operator=(const CumulativeStatistics&) = delete;
  static bool active() { return held; }

 private:
  static inline thread_local bool held = false;
  bool before_;
};

}  // namespace vaetl::nn
