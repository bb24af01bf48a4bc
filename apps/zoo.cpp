// vaetl-zoo: what the zoo holds, whether it is whole, and how models get into it and out of it.
#include "apps/zoo/command.hpp"
#include "vaetl/core/text.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

std::vector<ZooCommand> commands() {
  return {
      list_command(),    //
      show_command(),    //
      verify_command(),  //
      add_command(),     //
      import_command(),  //
      remove_command(),  //
      diff_command(),    //
      pull_command(),    //
      push_command(),    //
      export_command(),  //
      rank_command(),    //
      path_command(),    //
  };
}

// An option with a command that has none of that name would be ignored.
void check_options(const ZooCommand& command, const Arguments& arguments) {
  std::map<std::string, Words> owners;
  for (const ZooCommand& each : commands()) {
    for (const Flag& flag : each.flags) owners[flag.name].push_back(each.name);
  }
  for (const auto& [flag, of] : owners) {
    if (!arguments.has(flag) || std::find(of.begin(), of.end(), command.name) != of.end()) continue;
    throw ConfigError(
        {"command line", "--" + flag + " with " + join(of, " or "), "it with " + command.name, "see --help"});
  }
}

ZooCommand command_of(const Words& words) {
  Words names;
  for (const ZooCommand& command : commands()) {
    if (!words.empty() && command.name == words[0]) return command;
    names.push_back(command.name);
  }
  if (words.empty()) throw ConfigError({"command line", "one of " + join(names), "nothing", "see --help"});
  throw ConfigError({"command line", "one of " + join(names), quote(words[0]), did_you_mean(words[0], names)});
}

Result dispatch(const Arguments& arguments) {
  const Words& words = arguments.positional();
  const ZooCommand command = command_of(words);
  check_options(command, arguments);
  return command.run({words.begin() + 1, words.end()}, arguments);
}

// Every flag once, whichever commands have it.
std::vector<Flag> all_flags() {
  std::vector<Flag> flags;
  for (const ZooCommand& command : commands()) {
    for (const Flag& flag : command.flags) {
      const auto same = [&](const Flag& known) { return known.name == flag.name; };
      if (std::none_of(flags.begin(), flags.end(), same)) flags.push_back(flag);
    }
  }
  return flags;
}

std::string overview() {
  std::string text;
  std::size_t width = 0;
  for (const ZooCommand& command : commands()) width = std::max(width, command.name.size());
  for (const ZooCommand& command : commands()) {
    text += fmt::format("  {:<{}}  {}\n", command.name, width, command.purpose);
  }
  return text;
}

Program program() {
  return {.name = "vaetl-zoo",
          .synopsis = "vaetl-zoo COMMAND …",
          .purpose = "named, described, verified models",
          .flags = all_flags(),
          .notes = "The commands; `vaetl-zoo COMMAND --help` tells what one of them takes:\n" + overview() +
                   "\nEntries are looked for along VAETL_ZOO (a path list), then the user's folder, then the one that "
                   "came with\nvaetl; what is written goes to the first of them that can be written.\n",
          .example =
              "  vaetl-zoo add runs/few --name my-classifier --summary 'Ten labels a class'\n"
              "  vaetl-zoo verify my-classifier\n",
          .run = dispatch,
          .help = nullptr};
}

// Of one command, or of all with none of their options.
std::string help(const Arguments& arguments) {
  Program all = program();
  all.flags.clear();
  if (arguments.positional().empty()) return help_text(all);
  const ZooCommand command = command_of(arguments.positional());
  all.synopsis = "vaetl-zoo " + command.name + (command.arguments.empty() ? "" : " ") + command.arguments;
  all.purpose = command.purpose;
  all.flags = command.flags;
  all.notes = command.notes;
  all.example = command.example;
  return help_text(all);
}

}  // namespace

namespace vaetl::apps {

std::string only_word(const Words& words, const std::string& what) {
  if (words.size() == 1) return words[0];
  throw ConfigError({"command line", "one " + what, fmt::format("{}", words.size()), "see --help"});
}

void no_words(const Words& words, const std::string& command) {
  if (words.empty()) return;
  throw ConfigError({"command line", "nothing after " + command, quote(words[0]), "see --help"});
}

}  // namespace vaetl::apps

int main(int argc, char** argv) {
  Program described = program();
  described.help = help;
  run_program(described, argc, argv);
}
