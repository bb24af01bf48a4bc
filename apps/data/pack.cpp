// vaetl-data convert and split: one packed, checksummed file that opens at once.
#include "apps/data/commands.hpp"
#include "apps/support/skipped.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/packed.hpp"

namespace vaetl::apps {
namespace {

Result pack_to(const Splits& splits, const std::string& out, const Arguments& arguments) {
  data::pack(splits, out, follow(arguments, "packing"));
  const std::string reference = data::Reference{"packed", out}.text();
  const Json sizes = {
      {"train", splits.train.size()}, {"validation", splits.validation.size()}, {"test", splits.test.size()}};
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(out));
  return {{{"out", out}, {"open", reference}, {"bytes", bytes}, {"splits", sizes}},
          fmt::format("{} to train, {} to validate, {} to test\nopen it as {}\n", splits.train.size(),
                      splits.validation.size(), splits.test.size(), shell_quoted(reference))};
}

// Shares of all of train; each class is divided alike.
Splits divide(const Splits& splits, double test, double validation, std::uint64_t seed) {
  const auto refuse = [](const char* flag, const char* split) {
    throw ConfigError({flag, std::string("data without a ") + split + " split", "data that have one", "leave it out"});
  };
  if (test + validation <= 0 || test + validation >= 1) {
    throw ConfigError({"--test and --validation",
                       "shares above 0 and together below 1",
                       fmt::format("{:g} in all", test + validation),
                       {}});
  }
  if (test > 0 && splits.test.size() > 0) refuse("--test", "test");
  if (validation > 0 && splits.validation.size() > 0) refuse("--validation", "validation");
  Splits result = splits;
  if (test > 0) {
    const Parts parts = hold_out(splits.train, test, seed);
    result.train = parts.rest, result.test = readers::renamed(parts.held, "test");
  }
  if (validation > 0) {
    const Parts parts = hold_out(result.train, validation / (1 - test), seed);
    result.train = parts.rest, result.validation = readers::renamed(parts.held, "validation");
  }
  return result;
}

}  // namespace

Result convert_data(const Words& words, const Arguments& arguments) {
  const data::Reference reference = data::parse_reference(only_word(words, "REF"));
  const std::string out = free_out(arguments, "FILE");
  return pack_to(data::open(reference, reading_of(arguments)), out, arguments);
}

Result split_data(const Words& words, const Arguments& arguments) {
  const data::Reference reference = data::parse_reference(only_word(words, "REF"));
  const auto share = [&](const char* name) { return arguments.has(name) ? number(arguments, name, {0, 1}) : 0; };
  const double test = share("test"), validation = share("validation");
  const std::string out = free_out(arguments, "FILE");
  const Splits splits = data::open(reference, reading_of(arguments));
  return pack_to(divide(splits, test, validation, arguments.seed()), out, arguments);
}

}  // namespace vaetl::apps
