#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/zoo/card.hpp"

namespace vaetl::zoo {
namespace {

// A cell of a table: one line, and no bar or markup of its own.
std::string cell(const std::string& text) {
  std::string safe;
  for (char c : text) {
    if (c == '|' || c == '<' || c == '`' || c == '[') safe += '\\';
    safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return safe;
}

std::string row(const std::string& name, const std::string& value) {
  return value.empty() ? "" : fmt::format("| {} | {} |\n", cell(name), cell(value));
}

std::string tensors_text(const TensorCards& tensors) {
  std::vector<std::string> texts;
  for (const auto& [name, tensor] : tensors) texts.push_back(name + " " + to_text(tensor));
  return join(texts);
}

std::string value_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string facts(const Card& card) {
  std::string text = "| | |\n|---|---|\n";
  text += row("architecture", card.model.name) + row("parameters", thousands(card.weights.parameters)) +
          row("input", tensors_text(card.inputs)) + row("output", tensors_text(card.outputs)) +
          row("offers", join(card.capabilities)) + row("classes", join(card.classes)) +
          row("layer groups", join(card.groups)) + row("transferred from", card.base_model) +
          row("rest of the weights", card.base ? card.base->name + ", sha256 " + card.base->sha256 : "") +
          row("licence of the weights", card.licence) + row("licence of the data", card.data_licence) +
          row("version", card.version) + row("sha256", card.weights.sha256);
  return text + "\n";
}

// "fashion-mnist, test split, 10,000 examples".
std::string measured_on(const MetricCard& metric) {
  std::vector<std::string> parts;
  if (!metric.data.empty()) parts.push_back(metric.data);
  if (!metric.split.empty()) parts.push_back(metric.split + " split");
  if (metric.examples > 0) parts.push_back(thousands(metric.examples) + " examples");
  return join(parts);
}

std::string interval_text(const MetricCard& metric) {
  if (!metric.interval) return {};
  const IntervalCard& interval = *metric.interval;
  return fmt::format("{:.4g} to {:.4g} ({:g} %)", interval.low, interval.high, 100 * interval.level);
}

std::string metrics(const Card& card) {
  if (card.metrics.empty()) return {};
  std::string text = "## Metrics\n\n| metric | value | interval | on | how |\n|---|---|---|---|---|\n";
  for (const auto& [name, metric] : card.metrics) {
    std::vector<std::string> how;
    if (!metric.judge.empty()) how.push_back("judged by " + metric.judge);
    if (!metric.how.empty()) how.push_back(metric.how);
    if (metric.interval) how.push_back(metric.interval->method);
    text += fmt::format("| {} | {:.4g} | {} | {} | {} |\n", cell(name), metric.value, interval_text(metric),
                        cell(measured_on(metric)), cell(join(how, "; ")));
  }
  return text + "\n";
}

std::string section(const std::string& title, const std::string& text) {
  return text.empty() ? "" : fmt::format("## {}\n\n{}\n\n", title, cell(text));
}

std::string training(const Card& card) {
  std::string text;
  for (const auto& [key, value] : card.training.items()) {
    if (value.is_number() && key == "seconds") {
      text += row("time", duration(value.get<double>()));
    } else if (!value.is_structured()) {
      text += row(key, value_text(value));
    } else {
      for (const auto& [inner, item] : value.items()) {
        if (!item.is_structured()) text += row(key + " " + inner, value_text(item));
      }
    }
  }
  return text.empty() ? text : "## Training\n\n| | |\n|---|---|\n" + text + "\n";
}

bool reads_tokens(const Card& card) {
  const auto input = card.inputs.find("input");
  return input != card.inputs.end() && input->second.dtype == at::kLong;
}

// What each task of tasks_of() is done with, by data.
struct TaskCommand {
  std::string_view task, of_values, of_tokens;
};
constexpr TaskCommand task_commands[] = {
    {"classify", "vaetl-predict {} FILE…", "vaetl-predict {} FILE…"},
    {"regress", "vaetl-predict {} FILE…", "vaetl-predict {} FILE…"},
    {"generate", "vaetl-generate {} --out new.png", "vaetl-generate {}"},
    {"reconstruct", "vaetl-reconstruct {} --data REF --out rebuilt.png", "vaetl-reconstruct {} --data REF"},
    {"restore", "vaetl-enhance {} FILE… --out repaired/", ""},
    {"sequence", "", "vaetl-generate {} --length 400"},
    {"encode", "vaetl-encode {} --data REF --out features.npy", "vaetl-encode {} --data REF --out features.npy"}};

std::string commands(const Card& card) {
  std::string text = fmt::format("    vaetl-zoo verify {}\n", card.name);
  const auto tasks = tasks_of(card);
  for (const TaskCommand& each : task_commands) {
    const std::string_view command = reads_tokens(card) ? each.of_tokens : each.of_values;
    const bool known = std::find(tasks.begin(), tasks.end(), each.task) != tasks.end();
    if (known && !command.empty()) text += fmt::format("    {}\n", fmt::format(fmt::runtime(command), card.name));
  }
  return text;
}

std::string usage(const Card& card) {
  const auto offers = [&](const char* capability) {
    return std::find(card.capabilities.begin(), card.capabilities.end(), capability) != card.capabilities.end();
  };
  const bool classifies = !card.classes.empty() || (card.test_vector && card.test_vector->of == "logits");
  const char* output = classifies ? "logits" : offers("Encoder") ? "features" : offers("Restorer") ? "restored" : "";
  std::string text = "## Use\n\nIn the zoo its name is enough; elsewhere give the path of this folder.\n\n";
  text += commands(card);
  if (std::string_view(output).empty()) return text;
  return text + fmt::format(
                    "\n```cpp\nauto model = vaetl::zoo::load(\"{}\");\n"
                    "at::Tensor {} = model.predict(raw);  // raw: (N, …) as the data store it\n```\n",
                    card.name, output);
}

}  // namespace

std::string to_markdown(const Card& card) {
  std::string text = fmt::format("# {}\n\n", card.name);
  if (!card.summary.empty()) text += cell(card.summary) + "\n\n";
  return text + section("Intended use", card.intended_use) + section("Limits", card.limits) + facts(card) +
         metrics(card) + training(card) + section("Citation", card.citation) + usage(card);
}

}  // namespace vaetl::zoo
