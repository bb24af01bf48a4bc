#include "vaetl/core/parallel.hpp"

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/ops/empty.h>
#include <dlfcn.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace vaetl {
namespace {

class Crew {
 public:
  Crew(std::int64_t count, const std::function<void(std::int64_t)>& work) : count_(count), work_(work) {}

  void run() {
    use_threads(1);
    for (std::int64_t i = next_++; i < count_ && !stop_; i = next_++) {
      try {
        work_(i);
      } catch (...) {
        fail(i);
      }
    }
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  // Places are claimed in order: all below this one have been begun, and will have told.
  void fail(std::int64_t place) {
    stop_ = true;
    const std::scoped_lock lock(mutex_);
    if (error_ && failed_ < place) return;
    error_ = std::current_exception();
    failed_ = place;
  }

  std::int64_t count_;
  const std::function<void(std::int64_t)>& work_;
  std::atomic<std::int64_t> next_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::exception_ptr error_ = {};
  std::int64_t failed_ = 0;
};

}  // namespace

void use_threads(std::int64_t count) {
  at::get_num_threads();  // LibTorch sets the number when a thread first asks
  if (auto* set = reinterpret_cast<void (*)(int)>(::dlsym(RTLD_DEFAULT, "omp_set_num_threads"))) {
    set(static_cast<int>(count));
  }
}

void parallel_for(std::int64_t count, const std::function<void(std::int64_t)>& work) {
  const std::int64_t threads = std::min<std::int64_t>(at::get_num_threads(), count);
  if (threads <= 1) {
    for (std::int64_t i = 0; i < count; ++i) work(i);
    return;
  }
  Crew crew(count, work);
  {
    std::vector<std::jthread> members;
    for (std::int64_t i = 0; i < threads; ++i) members.emplace_back([&crew] { crew.run(); });
  }
  crew.rethrow();
}

// LibTorch shares the elements of an iterator out among its threads; here they are bytes that nobody reads, whose
// places are the numbers.
void parallel_ranges(std::int64_t count, std::int64_t grain, const Ranges& work) {
  if (count <= grain || at::get_num_threads() == 1 || at::in_parallel_region()) {
    if (count > 0) work(0, count);
    return;
  }
  const at::Tensor places = at::empty({count}, at::kByte);
  const char* start = static_cast<const char*>(places.const_data_ptr());
  auto iterator = at::TensorIteratorConfig()
                      .check_all_same_dtype(false)
                      .resize_outputs(false)
                      .declare_static_shape({count})
                      .add_output(places)
                      .build();
  const auto loop = [&](char** data, const std::int64_t* strides, std::int64_t size, std::int64_t lines) {
    for (std::int64_t line = 0; line < lines; ++line) {
      const std::int64_t first = data[0] + line * strides[1] - start;
      work(first, first + size);
    }
  };
  iterator.for_each(loop, grain);
}

}  // namespace vaetl
