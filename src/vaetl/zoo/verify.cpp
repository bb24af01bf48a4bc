#include "vaetl/core/error.hpp"
#include "vaetl/zoo/entry.hpp"

namespace vaetl::zoo {

Verification verify(const std::filesystem::path& folder) {
  Verification verification{folder};
  Entry entry{folder};
  for (const EntryCheck& check : entry_checks) {
    if (!verification.passed()) {
      verification.checks.push_back({check.name, "not done", {}});
      continue;
    }
    try {
      verification.checks.push_back({check.name, "passed", check.run(entry)});
    } catch (const Error& error) {
      verification.checks.push_back({check.name, "failed", error.what()});
    }
  }
  return verification;
}

bool Verification::passed() const {
  return std::all_of(checks.begin(), checks.end(),
                     [](const Check& check) { return check.outcome == "passed" || check.outcome == "skipped"; });
}

std::string Verification::text() const {
  std::string text = folder.string() + "\n";
  std::size_t width = 0;
  for (const Check& check : checks) width = std::max(width, check.name.size());
  for (const Check& check : checks) {
    const std::string line = fmt::format("  {:<8}  {:<{}}  {}", check.outcome, check.name, width, check.detail);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

Json Verification::json() const {
  Json list = Json::array();
  for (const Check& check : checks) {
    list.push_back({{"name", check.name}, {"outcome", check.outcome}, {"detail", check.detail}});
  }
  return {{"folder", folder.string()}, {"passed", passed()}, {"checks", list}};
}

}  // namespace vaetl::zoo
