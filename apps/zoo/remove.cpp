// vaetl-zoo remove.
#include "apps/zoo/command.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/zoo/manage.hpp"

namespace vaetl::apps {
namespace {

Result remove_entries(const Words& words, const Arguments& arguments) {
  if (words.empty()) throw ConfigError({"command line", "NAME… after remove", "nothing", "see --help"});
  Json removed = Json::array();
  std::string text;
  for (const std::string& name : words) {
    const auto folder = zoo::remove(name, arguments.has("force"));
    removed.push_back(folder.string());
    text += "removed " + folder.string() + "\n";
  }
  return {{{"removed", removed}}, text};
}

}  // namespace

ZooCommand remove_command() {
  return {.name = "remove",
          .arguments = "NAME… [--force]",
          .purpose = "removes entries of your own",
          .flags = {{"force", "", "also a base that other entries need"}},
          .run = remove_entries,
          .notes = "Those that came with vaetl stay, and so does a folder that holds more than an entry.\n",
          .example = "  vaetl-zoo remove my-classifier\n"};
}

}  // namespace vaetl::apps
