// Work shared among threads. LibTorch's own at::parallel_for is a plain loop here: it is parallel only in code that is
// compiled with OpenMP, which ours is not.
//
//   parallel_for(files.size(), [&](std::int64_t i) { images[i] = decode(files[i]); });
#pragma once
#include <c10/util/FunctionRef.h>

#include <cstdint>
#include <functional>

namespace vaetl {

// work(i) once for every i in 0 … count−1, on at::get_num_threads() threads of the caller, in no order. LibTorch's
// loops within run on one thread each, so that nothing waits at their barriers; calls within calls are plain loops.
// When work throws, no more is begun, and what the least i threw is thrown: the same for any number of threads.
void parallel_for(std::int64_t count, const std::function<void(std::int64_t)>& work);

// On how many threads LibTorch's loops run that the calling thread begins; at::set_num_threads() would change the
// program's number as well.
void use_threads(std::int64_t count);

// work(first, last) over ranges that make up 0 … count−1, on LibTorch's own threads, those that its operators run on
// and whose start takes microseconds; a range is about `grain` long at least.
using Ranges = c10::function_ref<void(std::int64_t, std::int64_t)>;
void parallel_ranges(std::int64_t count, std::int64_t grain, const Ranges& work);

}  // namespace vaetl
