#include "vaetl/core/error.hpp"

#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

std::string message(const Problem& p) {
  std::string text = p.where;
  auto append = [&](std::string_view separator, const std::string& part) {
    if (!part.empty()) text.append(text.empty() ? "" : separator).append(part);
  };
  if (!p.expected.empty()) append(": ", "expected " + p.expected);
  if (!p.found.empty()) append(p.expected.empty() ? ": " : ", ", "found " + p.found);
  append("; ", p.remedy);
  return one_line(std::move(text));
}

}  // namespace

Error::Error(Exit code, Problem p) : std::runtime_error(message(p)), exit_code(code), problem(std::move(p)) {}

}  // namespace vaetl
