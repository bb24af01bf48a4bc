#include "vaetl/nn/fused_support.hpp"

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/ops/empty.h>

namespace vaetl::nn {

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

}  // namespace vaetl::nn
