// The commands of vaetl-zoo. Each describes itself; a new one is a file, a line here and a line in apps/zoo.cpp.
#pragma once
#include <string>
#include <vector>

#include "apps/support/program.hpp"

namespace vaetl::apps {

using Words = std::vector<std::string>;

struct ZooCommand {
  std::string name, arguments, purpose;  // "show", "NAME", what it does
  std::vector<Flag> flags = {};          // with another command they are refused
  Result (*run)(const Words& words, const Arguments& arguments) = nullptr;
  std::string notes = {};    // paragraphs of its help
  std::string example = {};  // lines
};

ZooCommand list_command();
ZooCommand show_command();
ZooCommand verify_command();
ZooCommand add_command();
ZooCommand export_command();
ZooCommand import_command();
ZooCommand remove_command();
ZooCommand diff_command();
ZooCommand pull_command();
ZooCommand push_command();
ZooCommand path_command();
ZooCommand rank_command();

// The only word after the command; ConfigError that asks for `what` otherwise.
std::string only_word(const Words& words, const std::string& what);
// ConfigError where there is any.
void no_words(const Words& words, const std::string& command);

}  // namespace vaetl::apps
