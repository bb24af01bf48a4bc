#include "apps/support/scored_data.hpp"

#include "apps/support/skipped.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/data/preprocess.hpp"

namespace vaetl::apps {
namespace {

const std::vector<std::string> split_names = {"test", "validation", "train"};

const Dataset& named_split(const Splits& splits, const std::string& name) {
  return name == "test" ? splits.test : name == "validation" ? splits.validation : splits.train;
}

// `wanted`, or where that is empty the test split, or all there is.
std::string choose_split(const Splits& splits, const std::string& wanted) {
  const bool whole = splits.test.size() == 0 && splits.validation.size() == 0;
  const std::string split = !wanted.empty() ? wanted : whole ? "train" : "test";
  if (std::count(split_names.begin(), split_names.end(), split) > 0) return split;
  throw ConfigError({"--split", join(split_names), quote(split), did_you_mean(split, split_names)});
}

}  // namespace

std::vector<Flag> data_flags(const std::vector<Flag>& own) {
  std::vector<Flag> flags = {{"data", "REF", "fashion-mnist, csv:FILE?target=COLUMN, …"},
                             {"split", "NAME", "test, validation or train (test, or all of a set without splits)"},
                             strict_flag()};
  flags.insert(flags.end(), own.begin(), own.end());
  return flags;
}

Json ScoredData::about() const {
  Json json{{"name", examples.info().name}, {"split", split}, {"examples", examples.size()}};
  if (left_out > 0) json["left_out"] = left_out;
  return json;
}

ScoredData scored_data(const Arguments& arguments, const Model& model) {
  if (!arguments.has("data")) throw ConfigError({"command line", "--data REF", "none", "see --help"});
  return scored_data(arguments, model, arguments.text("data"), arguments.text("split"));
}

ScoredData scored_data(const Arguments& arguments, const Model& model, const std::string& reference,
                       const std::string& wanted) {
  Reading reading = reading_of(arguments);
  if (!model.preprocess().is_null()) reading.fitted = Preprocess::from_json(model.preprocess()).reader();
  std::int64_t left_out = 0;
  reading.skipped = [&left_out, tell = reading.skipped](const Problem& problem) {
    ++left_out;
    tell(problem);
  };
  const Splits splits = data::open(reference, reading);
  const std::string split = choose_split(splits, wanted);
  const Dataset& chosen = named_split(splits, split);
  const bool compares = split != "train" && splits.train.size() > 0;
  if (chosen.size() > 0) return {chosen, split, compares ? std::optional(splits.train) : std::nullopt, left_out};
  throw DataError({reference, "examples in the split " + quote(split), "none", "choose another --split"});
}

}  // namespace vaetl::apps
