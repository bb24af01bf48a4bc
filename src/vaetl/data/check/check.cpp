#include "vaetl/data/check.hpp"

#include "vaetl/data/check/findings.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/packed.hpp"

namespace vaetl::data {
namespace {

constexpr std::size_t most_problems = 10000;

void check_sums(const Reference& reference, CheckReport& report) {
  if (reference.name != "packed") return;
  const PackedCheck sums = verify_packed(reference.path);
  if (sums.damaged.empty()) return;
  report.problems.insert(report.problems.end(), sums.damaged.begin(), sums.damaged.end());
  const auto count = static_cast<std::int64_t>(sums.damaged.size());
  report.findings.push_back({true, "damaged", "", count, "parts of the file differ from their checksums", {}});
}

Splits open_all(const Reference& reference, CheckReport& report) {
  Reading reading;
  reading.skipped = [&report](const Problem& problem) {
    ++report.left_out;
    if (report.problems.size() < most_problems) report.problems.push_back(problem);
  };
  return open(reference, reading);
}

Json problem_json(const Problem& problem) {
  return {
      {"where", problem.where}, {"expected", problem.expected}, {"found", problem.found}, {"remedy", problem.remedy}};
}

}  // namespace

Json Finding::json() const {
  Json json = {
      {"level", error ? "error" : "warning"}, {"kind", kind}, {"split", split}, {"count", count}, {"text", text}};
  if (!examples.empty()) json["examples"] = Json::array();
  for (const auto& group : examples) {
    Json& places = json["examples"].emplace_back(Json::array());
    for (const Place& place : group) places.push_back({{"split", place.split}, {"index", place.index}});
  }
  return json;
}

std::vector<Finding> check(const Splits& splits, const CheckOptions& options) {
  CheckedSplits checked;
  const std::pair<const char*, const Dataset*> all[] = {
      {"train", &splits.train}, {"validation", &splits.validation}, {"test", &splits.test}};
  for (const auto& [name, data] : all) {
    if (data->size() == 0) continue;
    checked.data.push_back(*data);
    checked.names.emplace_back(name);
  }
  Findings findings;
  check_rows(checked, findings);
  check_values(checked, findings);
  check_equal(checked, options, findings);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.error && !b.error; });
  return findings;
}

bool CheckReport::passed() const {
  return std::none_of(findings.begin(), findings.end(), [](const Finding& finding) { return finding.error; });
}

Json CheckReport::json() const {
  Json json = {{"passed", passed()}, {"examples", examples}, {"left_out", left_out}};
  json["findings"] = Json::array();
  for (const Finding& finding : findings) json["findings"].push_back(finding.json());
  json["problems"] = Json::array();
  for (const Problem& problem : problems) json["problems"].push_back(problem_json(problem));
  return json;
}

CheckReport check(const Reference& reference, const CheckOptions& options) {
  CheckReport report;
  check_sums(reference, report);
  const Splits splits = open_all(reference, report);
  report.examples = splits.train.size() + splits.validation.size() + splits.test.size();
  if (report.left_out > 0) {
    report.findings.push_back(
        {true, "left_out", "", report.left_out, "files, rows or examples were left out: the problems say why", {}});
  }
  for (Finding& finding : check(splits, options)) report.findings.push_back(std::move(finding));
  return report;
}

}  // namespace vaetl::data
