// What vaetl-doctor looks at: what there is, and what about it would be better otherwise.
#pragma once
#include <string>
#include <vector>

#include "vaetl/core/json.hpp"

namespace vaetl::apps {

struct Finding {
  std::string what, found;
  std::string advice = {};  // what to do about it; empty: all is well
};

// Versions, processor, threads, memory, devices, data and zoo. Reads the system's own files and changes nothing.
std::vector<Finding> examine();

// How fast training is here, beside what the machine can do at most.
struct Speed {
  std::string what;
  int threads = 1;
  double value = 0;
  std::string unit = {};
  double share = 0;  // of the products' limit on as many threads; 0: does not apply
};
// In about `seconds`, on the CPU with the threads that are set.
std::vector<Speed> measure_speed(double seconds);
// What they say of threads and neighbours.
std::vector<Finding> read_speed(const std::vector<Speed>& speeds);

}  // namespace vaetl::apps
