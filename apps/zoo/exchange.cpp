// vaetl-zoo pull and push.
#include "vaetl/zoo/exchange.hpp"
#include "apps/support/signals.hpp"
#include "apps/support/table.hpp"
#include "apps/zoo/command.hpp"
#include "vaetl/core/progress.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::apps {
namespace {

std::string place_of(const Arguments& arguments, const std::string& flag) {
  if (!arguments.has(flag)) {
    throw ConfigError({"command line", "--" + flag + " ADDRESS", "none", "see --help"});
  }
  return arguments.text(flag);
}

zoo::ExchangeOptions exchange_options(const Arguments& arguments) {
  zoo::ExchangeOptions options;
  options.replace = arguments.has("replace");
  if (arguments.has("max-bytes")) options.max_bytes = arguments.integer("max-bytes", between(1, 1e15));
  options.cancelled = [] { return caught_signal().has_value(); };
  if (arguments.has("quiet")) return options;
  const auto bar = std::make_shared<std::optional<ProgressBar>>();
  const auto file = std::make_shared<std::string>();
  options.progress = [bar, file](const std::string& now, std::int64_t done, std::int64_t total) {
    if (*file != now) bar->emplace(*file = now, total, "byte");
    (*bar)->update(done);
  };
  return options;
}

Result exchange_all(const Words& words, const Arguments& arguments, const std::string& flag,
                    zoo::Exchanged (*exchange)(const std::string&, const std::string&, const zoo::ExchangeOptions&)) {
  const std::string address = place_of(arguments, flag);
  catch_signals();
  Json entries = Json::array();
  std::string text;
  for (const std::string& word : words) {
    const zoo::Exchanged done = exchange(word, address, exchange_options(arguments));
    entries.push_back({{"name", done.name},
                       {"version", done.version},
                       {"place", done.place},
                       {"bytes", done.bytes},
                       {"was_there", done.was_there}});
    text +=
        fmt::format("{} {}: {}\n", done.name, done.version, done.was_there ? "already in " + done.place : done.place);
  }
  return {{{"entries", entries}}, text};
}

// What there is to pull.
Result list_place(const std::string& address) {
  const zoo::Index index = zoo::index_of(address);
  std::vector<Words> rows;
  for (const zoo::IndexedEntry& entry : index.entries) {
    rows.push_back({entry.name, entry.version, thousands(entry.bytes()), entry.licence, entry.summary});
  }
  const Words header = {"name", "version", "bytes", "licence", "summary"};
  return {to_json(index), rows.empty() ? "no entry\n" : table_text(header, rows)};
}

Result pull_entries(const Words& words, const Arguments& arguments) {
  if (words.empty()) return list_place(place_of(arguments, "from"));
  return exchange_all(words, arguments, "from", zoo::pull);
}

Result push_entries(const Words& words, const Arguments& arguments) {
  if (words.empty()) throw ConfigError({"command line", "NAME… after push", "nothing", "see --help"});
  return exchange_all(words, arguments, "to", zoo::push);
}

}  // namespace

ZooCommand pull_command() {
  return {.name = "pull",
          .arguments = "[NAME[@VERSION]…] --from ADDRESS [options]",
          .purpose = "gets entries from a folder or an http(s) address; without a name, lists what it has",
          .flags = {{"from", "ADDRESS", "a folder, or http(s)://…, that has an index.json"},
                    {"max-bytes", "N", "of all files of an entry (1073741824)"},
                    {"replace", "", "replace another entry of that name"}},
          .run = pull_entries,
          .notes =
              "The newest version, or the one that is named. An entry takes its place when every file has the "
              "checksum of the\nindex and the whole has passed `verify`; a download that breaks off is gone on "
              "from by the next call.\n",
          .example = "  vaetl-zoo pull fashion-mnist-simclr --from https://example.org/zoo\n"};
}

ZooCommand push_command() {
  return {.name = "push",
          .arguments = "NAME… --to ADDRESS",
          .purpose = "puts entries where others can pull them",
          .flags = {{"to", "ADDRESS", "a folder, which any web server may serve, or http(s)://… that takes PUT"}},
          .run = push_entries,
          .notes =
              "A version that is there never changes: raise it by `vaetl-zoo add NAME --name NAME --entry-version "
              "1.1.0`.\nThe base of a delta is pushed first.\n",
          .example = "  vaetl-zoo push my-classifier --to /srv/zoo\n"};
}

}  // namespace vaetl::apps
