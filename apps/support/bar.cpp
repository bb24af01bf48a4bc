#include "apps/support/bar.hpp"

#include <memory>

#include "vaetl/core/progress.hpp"

namespace vaetl::apps {

std::function<void(std::int64_t)> bar_of(const Arguments& arguments, const std::string& label, std::int64_t total) {
  if (arguments.has("quiet") || !detect_style(stderr).terminal) return [](std::int64_t) {};
  auto bar = std::make_shared<ProgressBar>(label, total, "picture");
  return [bar](std::int64_t done) { bar->update(done); };
}

}  // namespace vaetl::apps
