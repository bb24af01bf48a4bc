#include "vaetl/core/memory.hpp"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

namespace vaetl {
namespace {

// A line "KEY:   1234 kB".
double megabytes_in(const char* file, std::string_view key) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(key)) continue;
    return std::round(std::strtod(line.c_str() + key.size(), nullptr) / 102.4) / 10;
  }
  return 0;
}

}  // namespace

double peak_memory_mb() { return megabytes_in("/proc/self/status", "VmHWM:"); }
double available_memory_mb() { return megabytes_in("/proc/meminfo", "MemAvailable:"); }

}  // namespace vaetl
