#include "apps/support/startup.hpp"

#include <ATen/Parallel.h>
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string_view>
#include <thread>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "apps/support/program.hpp"

namespace vaetl::apps {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

#ifdef __GLIBC__
bool tuned_by_user(const char* variable, std::string_view tunable) {
  const char* tunables = std::getenv("GLIBC_TUNABLES");
  return is_set(variable) ||
         (tunables != nullptr && std::string_view(tunables).find(tunable) != std::string_view::npos);
}

void raise_thresholds() {
  constexpr int wanted = 1 << 30, most_of_old_versions = 32 << 20;
  if (!tuned_by_user("MALLOC_MMAP_THRESHOLD_", "glibc.malloc.mmap_threshold")) {
    if (::mallopt(M_MMAP_THRESHOLD, wanted) == 0) ::mallopt(M_MMAP_THRESHOLD, most_of_old_versions);
  }
  if (!tuned_by_user("MALLOC_TRIM_THRESHOLD_", "glibc.malloc.trim_threshold")) ::mallopt(M_TRIM_THRESHOLD, wanted);
}
#else
void raise_thresholds() {}
#endif

// A closed stdout is opened for reading, so that writing to it fails as it did before.
void keep_standard_streams() {
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) != -1) continue;
    (void)::open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY);  // takes the lowest free number
  }
}

int wanted_threads(const Arguments& arguments) {
  return static_cast<int>(arguments.integer("threads", between(1, 1024)));
}

}  // namespace

int cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

void start_up() {
  raise_thresholds();
  keep_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files is an error that has a code, like a full disk
}

bool measures_threads(const Arguments& arguments) { return arguments.text("threads") == "auto"; }

void set_threads(const Arguments& arguments) {
  if (arguments.has("threads") && !measures_threads(arguments)) {
    at::set_num_threads(wanted_threads(arguments));
  } else if (measures_threads(arguments) || !is_set("OMP_NUM_THREADS")) {
    at::set_num_threads(cores());
  }
}

void set_threads_as_before(const Arguments& arguments, int recorded) {
  set_threads(arguments);
  const bool chosen = arguments.has("threads") ? !measures_threads(arguments) : is_set("OMP_NUM_THREADS");
  if (chosen || recorded == 0 || recorded == at::get_num_threads()) return;
  at::set_num_threads(recorded);
  tell(arguments, fmt::format("{} threads, as before (--threads chooses another number)", recorded));
}

}  // namespace vaetl::apps
