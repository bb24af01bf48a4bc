// vaetl-zoo verify.
#include "apps/support/startup.hpp"
#include "apps/zoo/command.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::apps {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> folders_to_verify(const Words& words, const Arguments& arguments) {
  if (arguments.has("all") && !words.empty()) {
    throw ConfigError({"command line", "NAME or --all", "both", "see --help"});
  }
  std::vector<fs::path> folders;
  for (const std::string& word : words) folders.push_back(zoo::resolve(word));
  if (words.empty()) {
    for (const zoo::Found& found : zoo::list()) folders.push_back(found.folder);
  }
  return folders;
}

void check_measuring(const Arguments& arguments) {
  if (arguments.has("data") && !arguments.has("metrics")) {
    throw ConfigError({"command line", "--metrics beside --data", "none", "see --help"});
  }
  set_threads(arguments);
}

// One line on stderr for each entry that is not whole.
Result verify_entries(const Words& words, const Arguments& arguments) {
  check_measuring(arguments);
  Json entries = Json::array();
  std::string text;
  bool whole = true;
  for (const fs::path& folder : folders_to_verify(words, arguments)) {
    zoo::Verification verification = zoo::verify(folder);
    if (arguments.has("metrics") && verification.passed()) {
      for (zoo::Check& check : zoo::verify_metrics(folder, arguments.text("data"))) {
        verification.checks.push_back(std::move(check));
      }
    }
    entries.push_back(verification.json());
    text += verification.text();
    whole = whole && verification.passed();
    for (const zoo::Check& check : verification.checks) {
      if (check.outcome == "failed") std::fprintf(stderr, "vaetl-zoo: %s\n", check.detail.c_str());
    }
  }
  if (entries.empty()) text = "the zoo is empty\n";
  return {{{"passed", whole}, {"entries", entries}}, text, whole ? Exit::ok : Exit::file};
}

}  // namespace

ZooCommand verify_command() {
  return {.name = "verify",
          .arguments = "[NAME… | --all]",
          .purpose = "whether entries are whole and compute what their cards say",
          .flags = {{"all", "", "every entry, as without a name"},
                    {"metrics", "", "measure the card's metrics again, and compare within its intervals"},
                    {"data", "REF", "with --metrics: where the data are, if the card's have no name of their own"},
                    threads_flag()},
          .run = verify_entries,
          .notes =
              "Checked are the card and its own checksum, every file, the weights' names, shapes and "
              "description, the\npreprocessing, and the test vector, which is computed again. A metric whose data "
              "are not here is skipped.\n",
          .example = "  vaetl-zoo verify my-classifier --metrics\n"};
}

}  // namespace vaetl::apps
