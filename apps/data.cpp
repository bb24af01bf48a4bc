// vaetl-data: what data there are, what they hold and what is wrong with them; packed, split, made and fetched.
#include "apps/data/commands.hpp"
#include "apps/support/skipped.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/topics.hpp"
#include "vaetl/core/text.hpp"

using namespace vaetl;
using namespace vaetl::apps;

namespace {

Result help(const Words& words, const Arguments&) {
  const std::string text = topic_text(words);
  return {{{"help", text}}, text};
}

using Command = Result (*)(const Words&, const Arguments&);
const std::map<std::string, Command> commands = {
    {"list", list_data},       {"show", show_data}, {"check", check_data}, {"split", split_data},
    {"convert", convert_data}, {"make", make_data}, {"fetch", fetch_data}, {"help", help}};

// Which commands an option belongs to: with another it would be ignored.
const std::map<std::string, Words> owners = {{"split", {"show"}},
                                             {"grid", {"show"}},
                                             {"near", {"check"}},
                                             {"strict", {"show", "check", "split", "convert"}},
                                             {"out", {"split", "convert", "make", "fetch"}},
                                             {"force", {"split", "convert", "make"}},
                                             {"test", {"split"}},
                                             {"validation", {"split"}},
                                             {"seed", {"split", "make"}},
                                             {"count", {"make"}}};

void check_options(const std::string& command, const Arguments& arguments) {
  for (const auto& [flag, of] : owners) {
    if (!arguments.has(flag) || std::find(of.begin(), of.end(), command) != of.end()) continue;
    throw ConfigError({"command line", "--" + flag + " with " + join(of, " or "), "it with " + command, "see --help"});
  }
}

Result dispatch(const Arguments& arguments) {
  set_threads(arguments);
  Words names;
  for (const auto& [name, command] : commands) names.push_back(name);
  const Words& words = arguments.positional();
  if (words.empty()) throw ConfigError({"command line", "one of " + join(names), "nothing", "see --help"});
  const auto found = commands.find(words[0]);
  if (found == commands.end()) {
    throw ConfigError({"command line", "one of " + join(names), quote(words[0]), did_you_mean(words[0], names)});
  }
  check_options(words[0], arguments);
  return found->second({words.begin() + 1, words.end()}, arguments);
}

}  // namespace

int main(int argc, char** argv) {
  Flag strict = strict_flag();
  strict.text += "; check: exit code 3 where there are errors";
  const Program program{
      .name = "vaetl-data",
      .synopsis =
          "vaetl-data list\n"
          "       vaetl-data show REF [--split NAME] [--grid FILE.png] [--strict]\n"
          "       vaetl-data check REF [--near R] [--strict]\n"
          "       vaetl-data split REF --out FILE [--test SHARE] [--validation SHARE] [--seed N]\n"
          "       vaetl-data convert REF --out FILE [--strict]\n"
          "       vaetl-data make NAME [key=value …] --out FILE|FOLDER [--count N] [--seed N]\n"
          "       vaetl-data fetch NAME… [--out FOLDER]\n"
          "       vaetl-data help [NAME …]",
      .purpose = "lists, shows, checks, splits, converts, makes and fetches data",
      .flags = {{"split", "NAME", "show: train, validation or test alone"},
                {"grid", "FILE.png", "show: pictures as well, a class a row"},
                {"near", "R", "check: pictures that correlate by R are nearly equal (0.99); 1: look for none"},
                strict,
                {"out", "PATH", "split, convert, make: what is written; fetch: the folder that gets NAME/"},
                {"force", "", "split, convert, make: replace a file that is there"},
                {"test", "SHARE", "split: of all examples to train, 0.2 say"},
                {"validation", "SHARE", "split: of all examples to train, 0.1 say"},
                {"count", "N", "make: examples"},
                seed_flag("split, make: what is drawn (0)"),
                threads_flag()},
      .notes =
          "REF is NAME or KIND:PATH, with options as in csv:sales.csv?target=region&test_share=0.2.\n"
          "split and convert write one packed, checksummed file, which opens as packed:FILE whatever its size. split\n"
          "divides what is there to train, every class alike; what a reader learns from tables and texts (categories,\n"
          "words) it has then learnt from all of it: ?test_share=… in REF holds rows out before.\n",
      .example =
          "  vaetl-data show fashion-mnist --grid fashion.png\n"
          "  vaetl-data check csv:sales.csv?target=region --strict\n"
          "  vaetl-data split folder:pictures?size=64 --test 0.2 --out pictures.packed\n"
          "  vaetl-data make two-moons noise=0.2 --count 500 --out moons.csv\n",
      .run = dispatch};
  run_program(program, argc, argv);
}
