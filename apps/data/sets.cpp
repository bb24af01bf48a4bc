// vaetl-data list and fetch: the sets that have a name.
#include "apps/data/commands.hpp"
#include "apps/support/signals.hpp"
#include "apps/support/table.hpp"
#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/fetch.hpp"
#include "vaetl/data/make.hpp"
#include "vaetl/data/reader.hpp"

namespace vaetl::apps {
namespace {

std::string how_to_get(const data::KnownSet& set) {
  if (!set.package.empty()) return "apt-get install " + set.package;
  return set.can_fetch() ? "vaetl-data fetch " + set.name : set.by_hand;
}

std::string size_text(std::int64_t bytes) {
  if (bytes >= 10'000'000) return fmt::format("{} MB", (bytes + 500'000) / 1'000'000);
  if (bytes >= 1'000'000) return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
  return fmt::format("{} kB", (bytes + 999) / 1000);
}

Json set_json(const data::KnownSet& set, const std::optional<std::filesystem::path>& folder) {
  return {{"name", set.name},       {"summary", set.summary},
          {"licence", set.licence}, {"folder", folder ? Json(folder->string()) : Json()},
          {"get", how_to_get(set)}, {"bytes", data::total_bytes(set)}};
}

const data::KnownSet& known(const std::string& name) {
  const data::KnownSet* set = data::find_known(name);
  if (set != nullptr) return *set;
  Words names;
  for (const auto& each : data::known_sets()) names.push_back(each.name);
  throw ConfigError({"fetch", "a set that `vaetl-data list` names", quote(name), did_you_mean(name, names)});
}

data::FetchOptions fetch_options(const data::KnownSet& set, const Arguments& arguments) {
  data::FetchOptions options;
  if (arguments.has("out")) options.folder = std::filesystem::path(arguments.text("out")) / set.name;
  options.cancelled = [] { return caught_signal().has_value(); };
  if (arguments.has("quiet")) return options;
  const auto bar = std::make_shared<std::optional<ProgressBar>>();
  const auto file = std::make_shared<std::string>();
  options.progress = [bar, file](const data::KnownFile& now, std::int64_t done, std::int64_t total) {
    if (*file != now.name) bar->emplace(*file = now.name, total, "byte");
    (*bar)->update(done);
  };
  return options;
}

}  // namespace

Result list_data(const Words& words, const Arguments&) {
  if (!words.empty()) throw ConfigError({"command line", "nothing after list", quote(words[0]), "see --help"});
  Json sets = Json::array();
  std::vector<Words> rows;
  for (const data::KnownSet& set : data::known_sets()) {
    const auto folder = data::locate(set);
    sets.push_back(set_json(set, folder));
    rows.push_back({set.name, set.summary, set.licence, folder ? folder->string() : "absent: " + how_to_get(set)});
  }
  const auto readers = registry<Reader>().names(), makers = registry<Maker>().names();
  return {{{"sets", sets}, {"readers", readers}, {"makers", makers}},
          table_text({"name", "holds", "licence", "found"}, rows) +
              "\nKIND of a reference KIND:PATH: " + join(readers) + "\nNAME to make: " + join(makers) +
              "\n`vaetl-data help NAME` lists the options of one.\n"};
}

Result fetch_data(const Words& words, const Arguments& arguments) {
  if (words.empty()) throw ConfigError({"command line", "NAME… after fetch", "nothing", "see --help"});
  for (const std::string& name : words) known(name);  // all names are right before anything is got
  catch_signals();
  Json sets = Json::array();
  std::string text;
  for (const std::string& name : words) {
    const data::KnownSet& set = known(name);
    if (set.can_fetch()) {
      tell(arguments, fmt::format("{}: {}, {}; licence: {}", set.name, set.summary, size_text(data::total_bytes(set)),
                                  set.licence));
    }
    const data::FetchReport report = data::fetch(set, fetch_options(set, arguments));
    report.check();
    Json files = Json::array();
    for (const auto& file : report.files) {
      files.push_back({{"name", file.file.name},
                       {"url", file.file.url},
                       {"sha256", file.file.sha256},
                       {"state", data::text_of(file.state)}});
    }
    sets.push_back({{"name", name}, {"folder", report.folder.string()}, {"files", files}});
    text += report.folder.string() + "\n";
  }
  return {{{"sets", sets}}, text};
}

}  // namespace vaetl::apps
