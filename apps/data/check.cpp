// vaetl-data check: what is wrong with data.
#include "vaetl/data/check.hpp"

#include "apps/data/commands.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::apps {
namespace {

std::string place_text(const data::Place& place) { return fmt::format("{} {}", place.split, place.index); }

// The first groups, each as "train 3 = train 17".
std::string examples_text(const data::Finding& finding) {
  Words groups;
  for (const auto& group : finding.examples) {
    Words places;
    for (const data::Place& place : group) places.push_back(place_text(place));
    groups.push_back(join(places, finding.kind.starts_with("near") ? " ~ " : " = "));
  }
  const bool all = finding.count <= static_cast<std::int64_t>(groups.size());
  return groups.empty() ? "" : ": " + join(groups) + (all ? "" : ", …");
}

std::string text_of(const data::CheckReport& report) {
  std::vector<Words> rows;
  for (const data::Finding& finding : report.findings) {
    rows.push_back({finding.error ? "error" : "warning", finding.kind, finding.split, thousands(finding.count),
                    finding.text + examples_text(finding)});
  }
  std::string text = table_text({"level", "finding", "split", "count", "what"}, rows);
  if (!report.problems.empty()) text += "\n";
  for (const Problem& problem : report.problems) text += std::string(DataError(problem).what()) + "\n";
  text += rows.empty() ? "" : "\n";
  return text + fmt::format("{} examples: {}\n", thousands(report.examples),
                            rows.empty()      ? "nothing was found"
                            : report.passed() ? "no errors"
                                              : "errors were found");
}

data::CheckOptions options_of(const Arguments& arguments) {
  data::CheckOptions options;
  if (!arguments.has("near")) return options;
  options.correlation = number(arguments, "near", {0.5, 1});
  options.near = options.correlation < 1;
  return options;
}

}  // namespace

Result check_data(const Words& words, const Arguments& arguments) {
  const data::Reference reference = data::parse_reference(only_word(words, "REF"));
  const data::CheckReport report = data::check(reference, options_of(arguments));
  Json json = report.json();
  json["reference"] = reference.text();
  const bool wrong = arguments.has("strict") && !report.passed();
  return {json, text_of(report), wrong ? Exit::data : Exit::ok};
}

}  // namespace vaetl::apps
