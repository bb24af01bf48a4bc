// The command line of one program: described once, parsed, printed as help. Options and positional arguments may come
// in any order.
//
//   const Arguments arguments = parse_arguments(program, argc, argv);
//   if (arguments.has("out")) use(arguments.text("out"));
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vaetl/core/config.hpp"

namespace vaetl::apps {

struct Flag {
  std::string name;
  std::string value = {};  // what stands after it, "FILE"; empty: a switch
  std::string text = {};
  bool repeated = false;
};

class Arguments {
 public:
  bool has(const std::string& name) const { return values_.count(name) > 0; }
  std::string text(const std::string& name, const std::string& otherwise = {}) const;
  std::vector<std::string> texts(const std::string& name) const;                // of a repeated one
  std::vector<std::string> list(const std::string& name) const;                 // "a,b,c"
  std::int64_t integer(const std::string& name, Range range) const;             // ConfigError for another value
  double number(const std::string& name, double otherwise, Range range) const;  // likewise
  std::uint64_t seed() const;                                                   // of --seed
  const std::vector<std::string>& positional() const { return positional_; }
  // Exactly one positional argument; ConfigError that asks for `what` otherwise.
  std::string only(const std::string& what) const;

  std::string command = {};  // the whole line as it was typed, quoted for a shell

 private:
  friend class ArgumentsParser;
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> positional_;
};

struct Program;

// ConfigError: an option that there is not, with the nearest; one without its value.
Arguments parse_arguments(const Program& program, int argc, char** argv);

std::string help_text(const Program& program);

// Would a shell need quotes around it? Then with them.
std::string shell_quoted(const std::string& word);

}  // namespace vaetl::apps
