// What all programs share: start-up, options, help, one result on stdout, errors with their exit codes.
//
//   int main(int argc, char** argv) { run_program(program, argc, argv); }
#pragma once
#include <string>
#include <vector>

#include "apps/support/arguments.hpp"
#include "vaetl/core/error.hpp"
#include "vaetl/core/json.hpp"

namespace vaetl::apps {

// What a program found: the text goes to stdout, with --json the object instead.
struct Result {
  Json json = Json::object();
  std::string text = {};
  Exit exit = Exit::ok;
};

struct Program {
  std::string name, synopsis, purpose;
  std::vector<Flag> flags = {};  // besides --json, --quiet, --help, --version, which all have
  std::string notes = {};        // paragraphs of the help
  std::string example = {};      // lines
  Result (*run)(const Arguments&) = nullptr;
  std::string (*help)(const Arguments&) = nullptr;  // what --help says with other options; empty: as ever
};

// Runs it and leaves with the exit code, at once: no destructor of a static object runs. An error is one line on
// stderr; with --json it is {"error": {…}} on stdout as well.
[[noreturn]] void run_program(const Program& program, int argc, char** argv);

// The flags that several programs have.
// OutputError, before any work is done, where a file of that name cannot be: no folder for it, or a folder in its
// place.
void check_place(const std::string& out);

Flag out_flag(const std::string& value, const std::string& text);
Flag device_flag();
Flag threads_flag();
Flag seed_flag(const std::string& text);

// A line on stderr for a person to read, unless --quiet.
void tell(const Arguments& arguments, const std::string& line);

}  // namespace vaetl::apps
