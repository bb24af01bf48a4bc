// For work beside a model that computes: copies that LibTorch would share out among threads of their own, which take
// the model's cores. Internal to data.
#pragma once
#include <ATen/Parallel.h>

#include "vaetl/core/parallel.hpp"

namespace vaetl {

// LibTorch's loops that this thread begins run on it alone for a while.
class OneThread {
 public:
  OneThread() { use_threads(1); }
  ~OneThread() { use_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  std::int64_t before_ = at::get_num_threads();
};

}  // namespace vaetl
