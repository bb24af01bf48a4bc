// vaetl-doctor: what is here, what is missing, and how fast it is.
#include "apps/doctor/examine.hpp"
#include "apps/support/program.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/text.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

Json to_json(const std::vector<Finding>& findings) {
  Json json = Json::array();
  for (const Finding& each : findings) {
    json.push_back({{"what", each.what}, {"found", each.found}, {"advice", each.advice}});
  }
  return json;
}

Json to_json(const std::vector<Speed>& speeds) {
  Json json = Json::array();
  for (const Speed& each : speeds) {
    Json row{{"what", each.what}, {"threads", each.threads}, {"value", each.value}, {"unit", each.unit}};
    if (each.share > 0) row["share_of_limit"] = each.share;
    json.push_back(std::move(row));
  }
  return json;
}

std::string findings_text(const std::vector<Finding>& findings) {
  std::vector<std::vector<std::string>> rows;
  for (const Finding& each : findings) rows.push_back({each.what, each.found});
  return table_text({}, rows);
}

std::string speeds_text(const std::vector<Speed>& speeds) {
  std::vector<std::vector<std::string>> rows;
  for (const Speed& each : speeds) {
    rows.push_back({each.what, std::to_string(each.threads), fmt::format("{:.4g} {}", each.value, each.unit),
                    each.share > 0 ? fmt::format("{:.0f} %", 100 * each.share) : "–"});
  }
  return table_text({"speed", "threads", "here", "of the products' limit"}, rows);
}

// What to do comes last, where a person looks first.
std::string advice_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& each : findings) {
    if (!each.advice.empty()) text += fmt::format("! {}: {}; {}\n", each.what, each.found, each.advice);
  }
  return text.empty() ? "nothing to mend was found\n" : text;
}

Result examine_machine(const Arguments& arguments) {
  if (!arguments.positional().empty()) {
    throw ConfigError({"command line", "options alone", quote(arguments.positional().front()), "see --help"});
  }
  set_threads(arguments);
  std::vector<Finding> findings = examine();
  std::string text = findings_text(findings);
  Json json{{"findings", to_json(findings)}};
  const double seconds = arguments.number("seconds", 5, between(0, 600));
  if (seconds > 0) {
    tell(arguments, fmt::format("measuring for about {:g} s", seconds));
    const std::vector<Speed> speeds = measure_speed(seconds);
    const std::vector<Finding> read = read_speed(speeds);
    findings.insert(findings.end(), read.begin(), read.end());
    text += "\n" + speeds_text(speeds);
    json = {{"findings", to_json(findings)}, {"speeds", to_json(speeds)}};
  }
  return {json, text + "\n" + advice_text(findings)};
}

}  // namespace

int main(int argc, char** argv) {
  const Program program{
      .name = "vaetl-doctor",
      .synopsis = "vaetl-doctor [options]",
      .purpose = "tells what is here, what is missing and how fast it is",
      .flags = {{"seconds", "S", "how long speed is measured; 0: not at all (5)"}, threads_flag()},
      .notes =
          "Versions, processor, threads, memory, CUDA, data and zoo; then the speed of small trainings beside that of\n"
          "plain products of matrices, which is the most that this machine could do. Lines that begin with ! tell "
          "what\n"
          "to mend. Small models cannot reach the limit: their time goes into starting operators and moving memory.\n",
      .example = "  vaetl-doctor --seconds 5\n",
      .run = examine_machine};
  run_program(program, argc, argv);
}
