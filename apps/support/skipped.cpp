#include "apps/support/skipped.hpp"

#include <memory>

namespace vaetl::apps {
namespace {

constexpr int shown = 10;

}  // namespace

Flag strict_flag() { return {"strict", "", "a bad file, row or line is an error; otherwise it is left out, and told"}; }

std::string left_out_line(const Problem& problem) { return std::string("left out: ") + DataError(problem).what(); }

Reading reading_of(const Arguments& arguments) {
  Reading reading;
  reading.strict = arguments.has("strict");
  const auto count = std::make_shared<int>(0);
  reading.skipped = [count, &arguments](const Problem& problem) {
    if (++*count <= shown) tell(arguments, left_out_line(problem));
    if (*count == shown + 1) tell(arguments, "left out: more; `vaetl-data check` lists them all");
  };
  return reading;
}

}  // namespace vaetl::apps
