#include "apps/doctor/examine.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/version.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "apps/support/startup.hpp"
#include "vaetl/core/memory.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/known_sets.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::apps {
namespace {

namespace fs = std::filesystem;

// The first line of a small file of the system; empty where there is none.
std::string first_line(const std::string& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string processor_name() {
  std::ifstream stream("/proc/cpuinfo");
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  }
  return "unknown";
}

// Cores' worth of time that the control group may use (cpu.max: quota and period in microseconds); 0: no limit.
double quota_of_cores() {
  std::istringstream line(first_line("/sys/fs/cgroup/cpu.max"));
  double quota = 0, period = 0;
  return line >> quota >> period && period > 0 ? quota / period : 0;
}

Finding processor() {
  Finding finding{"processor",
                  fmt::format("{}, {} cores, vectors {}", processor_name(), cores(), at::get_cpu_capability())};
  const double quota = quota_of_cores();
  if (quota > 0 && quota < cores()) {
    finding.found += fmt::format(", of which {:.3g} may be used", quota);
    finding.advice = fmt::format("--threads {}: more would wait for one another", std::max(1, static_cast<int>(quota)));
  } else if (at::get_cpu_capability() == "DEFAULT") {
    finding.advice = "the processor lacks AVX2, or ATEN_CPU_CAPABILITY is set; all is several times slower";
  }
  return finding;
}

Finding threads() {
  Finding finding{"threads", fmt::format("{} of LibTorch", at::get_num_threads())};
  for (const char* name :
       {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "OMP_PROC_BIND", "GOMP_SPINCOUNT"}) {
    if (!variable(name).empty()) finding.found += fmt::format(", {}={}", name, variable(name));
  }
  if (at::get_num_threads() > cores()) {
    finding.advice = fmt::format("more threads than cores slow each other down: --threads {}", cores());
  } else if (variable("OMP_WAIT_POLICY") == "passive" || variable("OMP_WAIT_POLICY") == "PASSIVE") {
    finding.advice = "unset OMP_WAIT_POLICY: passive halves the speed of small models";
  }
  return finding;
}

// What other programs take of the cores, as the load of the last minute tells.
Finding load() {
  std::istringstream line(first_line("/proc/loadavg"));
  double last_minute = 0;
  line >> last_minute;
  Finding finding{"load", fmt::format("{:.2f} in the last minute on {} cores", last_minute, cores())};
  if (last_minute > 0.5 * cores()) finding.advice = "other programs compute: speeds below are theirs as well as ours";
  return finding;
}

Finding memory() {
  const double available = available_memory_mb();
  Finding finding{"memory", fmt::format("{:.1f} GB available", available / 1024)};
  if (available > 0 && available < 1024) finding.advice = "less than 1 GB: smaller batches, or packed data";
  return finding;
}

Finding cuda() {
  const auto count = at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (count > 0) return {"CUDA", fmt::format("{} devices", static_cast<int>(count))};
  if (!fs::exists("/proc/driver/nvidia/version")) return {"CUDA", "no driver, no device"};
  return {"CUDA", "a driver, but no device that this LibTorch can use",
          "a LibTorch for CUDA (CMAKE_PREFIX_PATH when building); CUDA_VISIBLE_DEVICES may hide devices"};
}

// Folders of a path list that are not there.
std::vector<std::string> absent_folders(const char* name) {
  std::vector<std::string> absent;
  std::istringstream list(variable(name));
  std::error_code ignored;
  for (std::string folder; std::getline(list, folder, ':');) {
    if (!folder.empty() && !fs::is_directory(folder, ignored)) absent.push_back(folder);
  }
  return absent;
}

Finding known_data() {
  std::vector<std::string> there;
  for (const auto& set : data::known_sets()) {
    if (data::locate(set)) there.push_back(set.name);
  }
  Finding finding{"data", fmt::format("{} of {} sets that have a name", there.size(), data::known_sets().size())};
  if (!there.empty()) finding.found += ": " + join(there);
  if (const auto absent = absent_folders("VAETL_DATA"); !absent.empty()) {
    finding.advice = "VAETL_DATA names folders that are not there: " + join(absent);
  } else if (there.empty()) {
    finding.advice = "vaetl-data list tells where each comes from";
  }
  return finding;
}

Finding known_entries() {
  const auto entries = zoo::list();
  Finding finding{"zoo", fmt::format("{} entries", entries.size())};
  if (const auto absent = absent_folders("VAETL_ZOO"); !absent.empty()) {
    finding.advice = "VAETL_ZOO names folders that are not there: " + join(absent);
  } else if (entries.empty()) {
    finding.advice = "vaetl-zoo path tells where entries are looked for, vaetl-zoo pull gets some";
  }
  return finding;
}

Finding disk() {
  std::error_code error;
  const fs::space_info space = fs::space(".", error);
  if (error) return {"disk", "unknown: " + error.message()};
  const double free_gb = static_cast<double>(space.available) / 1e9;
  return {"disk", fmt::format("{:.1f} GB free here", free_gb),
          free_gb < 1 ? "less than 1 GB: checkpoints of long runs may not fit" : ""};
}

Finding libraries() {
  Finding finding{"libraries", fmt::format("LibTorch {}, {}, {}", TORCH_VERSION, at::hasMKL() ? "MKL" : "no MKL",
                                           at::hasMKLDNN() ? "oneDNN" : "no oneDNN")};
  if (!at::hasMKLDNN()) finding.advice = "a LibTorch with oneDNN is several times faster at convolutions";
  return finding;
}

}  // namespace

std::vector<Finding> examine() {
  return {libraries(), processor(), threads(), load(), memory(), cuda(), disk(), known_data(), known_entries()};
}

}  // namespace vaetl::apps
