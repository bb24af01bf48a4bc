#include <fmt/format.h>

#include <cmath>

#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/report/html.hpp"
#include "vaetl/report/metric_text.hpp"
#include "vaetl/report/section.hpp"

namespace vaetl {
namespace {

std::string counted(double count, const std::string& noun) {
  return fmt::format("{} {}{}", html::number(count), noun, count == 1 ? "" : "s");
}

std::string tile(std::string_view name, const std::string& value, bool result = false) {
  return html::tag("div", html::tag("dt", html::breakable(name)) + html::tag("dd", html::escape(value)),
                   result ? "class=\"result\"" : "");
}

std::string metric_tiles(const JsonView& metrics) {
  std::string tiles;
  for (const auto& [name, unread] : metrics.json().items()) {
    if (const auto value = metrics.number(name)) tiles += tile(name, MetricText(name).with_unit(*value), true);
  }
  return tiles;
}

std::string tiles(const JsonView& run) {
  std::string all = metric_tiles(run.object("metrics"));
  const auto add = [&](const char* name, std::optional<double> value, const char* unit) {
    if (value) all += tile(name, html::number(std::round(*value)) + unit);
  };
  add("parameters", run.object("model").number("parameters"), "");
  if (const auto seconds = run.number("seconds")) all += tile("training time", duration(*seconds));
  add("examples a second", run.number("samples_per_second"), "");
  if (const auto share = run.number("waiting_share")) add("waiting for data", *share * 100, " %");
  add("peak memory", run.number("peak_memory_mb"), " MB");
  if (const std::string device = run.text("device"); !device.empty()) all += tile("device", device);
  add("threads", run.number("threads"), "");
  return all.empty() ? "" : html::tag("dl", all, "class=\"tiles\"") + "\n";
}

std::string length_text(const JsonView& run) {
  std::string text;
  if (const auto epochs = run.number("epochs"); epochs && *epochs > 0) text += " for " + counted(*epochs, "epoch");
  if (const auto steps = run.number("steps")) {
    text += text.empty() ? " for " + counted(*steps, "step") : fmt::format(" ({})", counted(*steps, "step"));
  }
  if (const auto seconds = run.number("seconds")) text += " in " + duration(*seconds);
  return text;
}

std::string data_text(const ReportFolder& folder) {
  const auto train = folder.view().object("data").number("train");
  const std::string name = describe_data(folder);
  if (!train) return name.empty() ? "" : " on " + name;
  return fmt::format(" on {}{}", counted(*train, "example"), name.empty() ? "" : " of " + name);
}

std::string result_text(const JsonView& run) {
  std::vector<std::string> results;
  const JsonView metrics = run.object("metrics");
  for (const auto& [name, unread] : metrics.json().items()) {
    if (const auto value = metrics.number(name)) results.push_back(name + " " + MetricText(name).with_unit(*value));
  }
  return results.empty() ? "" : fmt::format(" Result: {}.", join(results));
}

std::string notes(const JsonView& run) {
  std::vector<std::string> sentences;
  if (run.text("status") == "interrupted") sentences.push_back("This run was interrupted; it can be resumed.");
  if (const auto step = run.number("resumed_from"); step && *step >= 0) {
    sentences.push_back(fmt::format("Resumed from step {}.", html::number(*step)));
  }
  const JsonView data = run.object("data");
  const auto validation = data.number("validation").value_or(0), test = data.number("test").value_or(0);
  if (validation > 0) sentences.push_back(counted(validation, "example") + " held out for validation.");
  if (test > 0) sentences.push_back(counted(test, "test example") + ".");
  if (const std::string licence = data.text("licence"); !licence.empty()) {
    sentences.push_back(fmt::format("Licence of the data: {}.", licence));
  }
  return sentences.empty() ? "" : html::tag("p", html::escape(join(sentences, " ")), "class=\"note\"") + "\n";
}

std::string layers(const JsonView& run) {
  html::Table table{.columns = {{"layer group"}, {"parameters"}, {"at the start", "text"}}};
  for (const JsonView& group : run.object("model").objects("groups")) {
    const auto parameters = group.number("parameters");
    table.rows.push_back({{html::escape(group.text("name"))},
                          {parameters ? html::number(*parameters) : "–"},
                          {group.flag("trained", true) ? "trained" : "frozen", "text"}});
  }
  return table.rows.empty() ? "" : html::folded("Layer groups", html::table(table));
}

// What was chosen where the head was solved before training.
std::string solved_head(const JsonView& head) {
  const auto l2 = head.number("l2"), accuracy = head.object("validation").number("accuracy");
  if (!l2) return {};
  const std::string held =
      accuracy ? ", accuracy " + html::number(*accuracy) + " on what was held out to choose it" : "";
  return html::tag("p", "The head was solved to its optimum first: l2 " + html::number(*l2) + held + ".") + "\n";
}

std::string transfer_report(const JsonView& run, int level) {
  const JsonView transfer = run.object("transfer");
  const std::string report = transfer.text("report");
  if (report.empty()) return {};
  return html::heading(level, "What was transferred") + html::tag("pre", html::escape(report), "tabindex=\"0\"") +
         "\n" + solved_head(transfer.object("head"));
}

// " by lora (rank 8)"
std::string method_text(const JsonView& run) {
  const JsonView method = run.object("transfer").object("method");
  if (method.text("name").empty()) return {};
  std::string options;
  for (const auto& [key, value] : method.json().items()) {
    if (key == "name") continue;
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    options += fmt::format("{}{} {}", options.empty() ? "" : ", ", key, text);
  }
  return " by " + method.text("name") + (options.empty() ? "" : " (" + options + ")");
}

}  // namespace

std::string describe_run(const ReportFolder& folder) {
  const JsonView run = folder.view(), model = run.object("model");
  const std::string name = model.text("name"), from = run.object("transfer").text("from");
  std::string text = name.empty() ? "A model" : name;
  const bool transferred = !from.empty() && from != "none";
  if (transferred) text += fmt::format(", adapted from {}{} and", from, method_text(run));
  text += " trained";
  return text + data_text(folder) + length_text(run) + "." + result_text(run);
}

std::string render_run(const ReportFolder& folder, int level) {
  const JsonView run = folder.view();
  return html::tag("p", html::escape(describe_run(folder)), "class=\"lead\"") + "\n" + notes(run) + tiles(run) +
         render_pictures(folder, level) + render_curves(folder, level) + render_confusion(folder, level) +
         render_latents(folder, level) + transfer_report(run, level) + layers(run) + render_origin(folder, level);
}

}  // namespace vaetl
