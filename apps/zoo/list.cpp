// vaetl-zoo list and path.
#include "apps/support/table.hpp"
#include "apps/zoo/command.hpp"
#include "apps/zoo/metrics_text.hpp"
#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::apps {

std::string metrics_line(const zoo::Card& card) {
  Words parts;
  for (const auto& [name, metric] : card.metrics) {
    std::string text = fmt::format("{} {:.4g}", name, metric.value);
    if (metric.interval) text += fmt::format(" ± {:.2g}", (metric.interval->high - metric.interval->low) / 2);
    if (metric.split == "train") text += " (of training data)";
    parts.push_back(std::move(text));
  }
  return join(parts);
}

namespace {

struct ListedEntry {
  std::filesystem::path folder;
  zoo::Card card;
};

std::string data_name(const zoo::Card& card) {
  const Json data = card.training.value("data", Json::object());
  return data.is_object() && data.value("name", Json()).is_string() ? data.at("name").get<std::string>() : "";
}

// "250000", "2.5MB", "300 kB".
std::int64_t bytes_asked_for(const Arguments& arguments) {
  const std::string text = arguments.text("size");
  const auto letters = text.find_first_not_of("0123456789.");
  std::string unit = letters == text.npos ? "" : text.substr(letters);
  if (unit.starts_with(' ')) unit.erase(0, 1);
  const std::map<std::string, double> units = {{"", 1}, {"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}};
  const auto found = units.find(unit);
  const double number = letters == 0 ? 0 : std::strtod(text.c_str(), nullptr);
  if (letters != 0 && found != units.end() && number < 1e9) return static_cast<std::int64_t>(number * found->second);
  throw ConfigError({"--size", "so many bytes, kB, MB or GB, as 2.5MB", quote(text), {}});
}

bool is_wanted(const zoo::Card& card, const Arguments& arguments) {
  if (arguments.has("task")) {
    const std::string task = arguments.text("task");
    const auto tasks = zoo::tasks_of(card);
    if (std::find(tasks.begin(), tasks.end(), task) == tasks.end()) return false;
  }
  if (arguments.has("data") && !glob_match(arguments.text("data"), data_name(card))) return false;
  return !arguments.has("size") || card.weights.bytes <= bytes_asked_for(arguments);
}

void check_filters(const Arguments& arguments) {
  if (arguments.has("size")) bytes_asked_for(arguments);
  if (!arguments.has("task")) return;
  const Words known = zoo::known_tasks();
  const std::string task = arguments.text("task");
  if (std::find(known.begin(), known.end(), task) != known.end()) return;
  throw ConfigError({"--task", join(known), quote(task), did_you_mean(task, known)});
}

// A card that cannot be read is told and left out: the others are still listed.
std::vector<ListedEntry> wanted_entries(const Arguments& arguments) {
  std::vector<ListedEntry> entries;
  for (const zoo::Found& found : zoo::list()) {
    try {
      zoo::Card card = zoo::read_card(found.folder);
      card.name = found.name;
      if (is_wanted(card, arguments)) entries.push_back({found.folder, std::move(card)});
    } catch (const FileError& error) {
      tell(arguments, error.what());
    }
  }
  return entries;
}

Json json_of(const ListedEntry& entry) {
  const zoo::Card& card = entry.card;
  return {{"name", card.name},
          {"folder", entry.folder.string()},
          {"version", card.version},
          {"summary", card.summary},
          {"tasks", zoo::tasks_of(card)},
          {"data", data_name(card)},
          {"model", card.model.name},
          {"parameters", card.weights.parameters},
          {"bytes", card.weights.bytes},
          {"licence", card.licence},
          {"metrics", Codec<std::map<std::string, zoo::MetricCard>>::write(card.metrics)}};
}

std::string size_text(std::int64_t bytes) {
  return bytes < 1'000'000 ? fmt::format("{:.0f} kB", static_cast<double>(bytes) / 1e3)
                           : fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

// For a README: names are folders beside it.
std::string markdown(const std::vector<ListedEntry>& entries) {
  std::string text = "| entry | what it is | trained on | parameters | size | metrics |\n|---|---|---|---|---|---|\n";
  for (const auto& [folder, card] : entries) {
    text += fmt::format("| [{0}](zoo/{0}) | {1} | {2} | {3} | {4} | {5} |\n", card.name, one_line(card.summary),
                        data_name(card), thousands(card.weights.parameters), size_text(card.weights.bytes),
                        metrics_line(card));
  }
  return text;
}

Result list_entries(const Words& words, const Arguments& arguments) {
  no_words(words, "list");
  check_filters(arguments);
  const auto entries = wanted_entries(arguments);
  Json json = Json::array();
  std::vector<Words> rows;
  for (const ListedEntry& entry : entries) {
    const zoo::Card& card = entry.card;
    json.push_back(json_of(entry));
    rows.push_back({card.name, card.version, card.model.name, data_name(card), thousands(card.weights.parameters),
                    size_text(card.weights.bytes), metrics_line(card), card.summary});
  }
  const Words header = {"name", "version", "model", "data", "parameters", "size", "metrics", "summary"};
  const bool filtered = arguments.has("task") || arguments.has("data") || arguments.has("size");
  const std::string none = filtered ? "no entry fits\n" : "the zoo is empty\n";
  const std::string table = arguments.has("markdown") ? markdown(entries) : table_text(header, rows);
  return {{{"entries", json}}, entries.empty() ? none : table};
}

Result print_path(const Words& words, const Arguments&) {
  no_words(words, "path");
  Json folders = Json::array();
  std::string text;
  for (const auto& folder : zoo::search_path()) {
    folders.push_back(folder.string());
    text += folder.string() + "\n";
  }
  return {{{"path", folders}}, text};
}

}  // namespace

ZooCommand list_command() {
  return {.name = "list",
          .arguments = "[--task T] [--data NAME] [--size MOST]",
          .purpose = "what there is",
          .flags = {{"task", "NAME", "those that serve it: " + join(zoo::known_tasks())},
                    {"data", "REF", "those that were trained on it, by name or pattern"},
                    {"size", "MOST", "those whose weights have at most so many bytes, as 2.5MB"},
                    {"markdown", "", "the table as a README has it"}},
          .run = list_entries,
          .example = "  vaetl-zoo list --task classify --data fashion-mnist --size 1MB\n"};
}

ZooCommand path_command() {
  return {.name = "path",
          .arguments = {},
          .purpose = "where entries are looked for, in this order",
          .run = print_path,
          .example = "  vaetl-zoo path\n"};
}

}  // namespace vaetl::apps
