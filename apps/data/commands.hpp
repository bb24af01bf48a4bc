// The subcommands of vaetl-data, and what they share.
#pragma once
#include <string>
#include <vector>

#include "apps/support/program.hpp"
#include "vaetl/data/dataset.hpp"
#include "vaetl/data/reference.hpp"

namespace vaetl::apps {

using Words = std::vector<std::string>;  // after the subcommand

Result list_data(const Words& words, const Arguments& arguments);
Result show_data(const Words& words, const Arguments& arguments);
Result check_data(const Words& words, const Arguments& arguments);
Result split_data(const Words& words, const Arguments& arguments);
Result convert_data(const Words& words, const Arguments& arguments);
Result make_data(const Words& words, const Arguments& arguments);
Result fetch_data(const Words& words, const Arguments& arguments);

// Exactly one word; ConfigError that asks for `what` otherwise.
std::string only_word(const Words& words, const std::string& what);

// The number behind an option; ConfigError for another text, or outside of the range.
double number(const Arguments& arguments, const std::string& name, Range range);

// The folder where a known set lies, else the reference's path.
std::string place_of(const data::Reference& reference);

// --out as a path that nothing stands at; with --force a file may. ConfigError without it, OutputError otherwise.
std::string free_out(const Arguments& arguments, const std::string& what);

// Shows work of `all` examples on stderr and ends it where a signal asks for that, as its exit code.
std::function<void(std::int64_t done, std::int64_t all)> follow(const Arguments& arguments, const std::string& label);

}  // namespace vaetl::apps
