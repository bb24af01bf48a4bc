// A repeated option's values are not split: "--vary key=a,b" is one value.
#define CXXOPTS_VECTOR_DELIMITER '\0'
#include "apps/support/arguments.hpp"

#include <charconv>
#include <cxxopts.hpp>

#include "apps/support/program.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::apps {
namespace {

const std::string line_name = "command line";

std::vector<Flag> all_flags(const Program& program) {
  std::vector<Flag> flags = program.flags;
  flags.push_back({"json", "", "one JSON object on stdout, at the end"});
  flags.push_back({"quiet", "", "nothing on stderr but errors"});
  flags.push_back({"help", "", "this text"});
  flags.push_back({"version", "", "the version"});
  return flags;
}

// cxxopts would take a following option for the value.
void check_values_follow(const std::vector<Flag>& flags, int argc, char** argv) {
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    for (const Flag& flag : flags) {
      if (flag.value.empty() || argv[i] != "--" + flag.name) continue;
      const std::string next = i + 1 < argc ? argv[i + 1] : "";
      if (i + 1 < argc && !next.starts_with("--")) continue;
      const std::string after = flag.value + " after --" + flag.name;
      if (i + 1 == argc) throw ConfigError({line_name, after, "nothing", "see --help"});
      throw ConfigError(
          {line_name, after, quote(next), "a value that begins with -- is written --" + flag.name + "=VALUE"});
    }
  }
}

[[noreturn]] void throw_unknown(const std::string& argument, const std::vector<Flag>& flags) {
  const std::string name = argument.substr(0, argument.find('='));
  std::vector<std::string> known;
  for (const Flag& flag : flags) known.push_back("--" + flag.name);
  throw ConfigError({line_name, "an option that --help lists", quote(name), did_you_mean(name, known)});
}

}  // namespace

class ArgumentsParser {
 public:
  explicit ArgumentsParser(const Program& program) : flags_(all_flags(program)), options_(program.name) {
    options_.allow_unrecognised_options();
    for (const Flag& flag : flags_) {
      const std::string name = flag.name == "help" ? "h,help" : flag.name;
      if (flag.value.empty()) options_.add_options()(name, "");
      if (!flag.value.empty()) options_.add_options()(name, "", cxxopts::value<std::vector<std::string>>());
    }
  }

  Arguments parse(int argc, char** argv) const {
    check_values_follow(flags_, argc, argv);
    cxxopts::Options options = options_;
    const cxxopts::ParseResult parsed = options.parse(argc, argv);
    Arguments arguments;
    for (const Flag& flag : flags_) {
      if (parsed.count(flag.name) > 0) arguments.values_[flag.name] = values(parsed, flag);
    }
    arguments.positional_ = positional(parsed, argc, argv);
    arguments.command = std::filesystem::path(argv[0]).filename().string();
    for (int i = 1; i < argc; ++i) arguments.command += " " + shell_quoted(argv[i]);
    return arguments;
  }

 private:
  static std::vector<std::string> values(const cxxopts::ParseResult& parsed, const Flag& flag) {
    if (flag.value.empty()) return {};
    auto found = parsed[flag.name].as<std::vector<std::string>>();
    for (const std::string& value : found) {
      if (value.empty()) throw ConfigError({line_name, flag.value + " after --" + flag.name, "an empty text", {}});
    }
    if (found.size() > 1 && !flag.repeated) {
      throw ConfigError({line_name, "--" + flag.name + " once", fmt::format("{} times", found.size()), {}});
    }
    return found;
  }

  // What cxxopts did not match: positional arguments, and options that there are not. After "--" all are positional.
  std::vector<std::string> positional(const cxxopts::ParseResult& parsed, int argc, char** argv) const {
    const auto end = std::find(argv + 1, argv + argc, std::string_view("--"));
    const auto after = static_cast<std::size_t>(end == argv + argc ? 0 : argv + argc - end - 1);
    const std::vector<std::string>& rest = parsed.unmatched();
    for (std::size_t i = 0; i + after < rest.size(); ++i) {
      if (rest[i].starts_with("-") && rest[i].size() > 1) throw_unknown(rest[i], flags_);
    }
    return rest;
  }

  std::vector<Flag> flags_;
  cxxopts::Options options_;
};

std::string Arguments::text(const std::string& name, const std::string& otherwise) const {
  return has(name) ? values_.at(name).front() : otherwise;
}

std::vector<std::string> Arguments::texts(const std::string& name) const {
  return has(name) ? values_.at(name) : std::vector<std::string>();
}

std::vector<std::string> Arguments::list(const std::string& name) const {
  std::vector<std::string> items;
  std::stringstream stream(text(name));
  for (std::string item; std::getline(stream, item, ',');) {
    if (item.empty()) throw ConfigError({"--" + name, "names separated by commas", quote(text(name)), {}});
    items.push_back(item);
  }
  return items;
}

std::int64_t Arguments::integer(const std::string& name, Range range) const {
  const std::string value = text(name);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool whole = error == std::errc() && end == value.data() + value.size();
  if (whole && range.contains(static_cast<double>(number))) return number;
  const std::string wanted = range.high < 1e18 ? fmt::format("an integer from {} to {}", range.low, range.high)
                                               : fmt::format("an integer of at least {}", range.low);
  throw ConfigError({"--" + name, wanted, quote(value), {}});
}

double Arguments::number(const std::string& name, double otherwise, Range range) const {
  if (!has(name)) return otherwise;
  const std::string value = text(name);
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size() && range.contains(number)) return number;
  throw ConfigError({"--" + name, fmt::format("a number from {} to {}", range.low, range.high), quote(value), {}});
}

std::uint64_t Arguments::seed() const {
  return has("seed") ? static_cast<std::uint64_t>(integer("seed", at_least(0))) : 0;
}

std::string Arguments::only(const std::string& what) const {
  if (positional_.size() == 1) return positional_[0];
  if (positional_.empty()) throw ConfigError({line_name, what, "nothing", "see --help"});
  throw ConfigError({line_name, "one " + what, fmt::format("{} arguments", positional_.size()), "see --help"});
}

Arguments parse_arguments(const Program& program, int argc, char** argv) {
  try {
    return ArgumentsParser(program).parse(argc, argv);
  } catch (const cxxopts::exceptions::exception& error) {
    throw ConfigError({line_name, "options as --help lists them", error.what(), {}});
  }
}

std::string help_text(const Program& program) {
  std::string text = fmt::format("{}: {}\n\nUsage: {}\n\n", program.name, program.purpose, program.synopsis);
  const std::vector<Flag> flags = all_flags(program);
  std::size_t width = 0;
  auto spelt = [](const Flag& flag) { return "--" + flag.name + (flag.value.empty() ? "" : " " + flag.value); };
  for (const Flag& flag : flags) width = std::max(width, spelt(flag).size());
  for (const Flag& flag : flags) text += fmt::format("  {:<{}}  {}\n", spelt(flag), width, flag.text);
  if (!program.notes.empty()) text += "\n" + program.notes;
  return text + "\nExample:\n" + program.example;
}

std::string shell_quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("-_./=:,+@%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace vaetl::apps
