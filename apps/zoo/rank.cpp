// vaetl-zoo rank: which source would serve a task best.
#include <cmath>

#include "apps/support/skipped.hpp"
#include "apps/support/startup.hpp"
#include "apps/support/table.hpp"
#include "apps/zoo/command.hpp"
#include "vaetl/core/device.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/preprocess.hpp"
#include "vaetl/recipe/data_cache.hpp"
#include "vaetl/transfer/ranking.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::apps {
namespace {

using Names = std::vector<std::string>;

struct RankCandidate {
  std::string name = {}, why_not = {};  // empty: it fits
  bool readable = true;
  RankedSource ranked = {};
};

Names scores_asked_for(const Arguments& arguments) {
  Names names;
  if (!arguments.has("scores")) {
    for (const TransferScore& score : transfer_scores()) names.emplace_back(score.name);
    return names;
  }
  for (const std::string& name : arguments.list("scores")) names.emplace_back(transfer_score(name, "--scores").name);
  if (names.empty()) throw ConfigError({"--scores", "names of scores", "none", "leave it out for all"});
  return names;
}

std::string sorting_score(const Arguments& arguments, const Names& scores) {
  const std::string by = arguments.text("by", scores.front());
  if (std::count(scores.begin(), scores.end(), by) > 0) return by;
  throw ConfigError({"--by", "one of " + join(scores), quote(by), did_you_mean(by, scores)});
}

// The training split, where there are splits; read as the source's own data were.
Dataset examples_for(const Model& source, const Arguments& arguments, recipe::DataCache& opened) {
  Reading reading = reading_of(arguments);
  if (!source.preprocess().is_null()) {
    reading.fitted = Preprocess::from_json(source.preprocess()).reader();
    if (reading.fitted.is_object()) reading.fitted.erase("classes");  // the task has its own
  }
  const Dataset train = opened.open(data::parse_reference(arguments.text("data")), reading).train;
  if (train.size() == 0 || !train.has("target") || train.classes() == 0) {
    throw DataError({arguments.text("data"), "labelled training data", "none", "choose data with labels"});
  }
  if (!arguments.has("labels-per-class")) return train;
  return train.take_per_class(arguments.integer("labels-per-class", between(1, 1e9)), arguments.seed());
}

// One that was named must be readable; one of the whole zoo that is not, null, is a line in the table.
std::shared_ptr<Model> load_candidate(RankCandidate& candidate, bool named) {
  try {
    return zoo::load(candidate.name).model;
  } catch (const FileError& error) {
    if (named) throw;
    candidate.why_not = error.what();
    candidate.readable = false;
    return nullptr;
  }
}

// A source that does not fit is a line in the table, with the reason; what is wrong with the data is an error.
RankCandidate rank_one(const std::string& name, bool named, const Names& scores, const Arguments& arguments,
                       recipe::DataCache& opened) {
  RankCandidate candidate{.name = name, .why_not = {}};
  const auto source = load_candidate(candidate, named);
  if (!source) return candidate;
  const Dataset data = examples_for(*source, arguments, opened);
  source->to(choose_device(arguments.text("device", "auto")));
  FeatureCache cache(arguments.text("cache"));
  try {
    candidate.ranked = rank_source(*source, data, scores, arguments.has("cache") ? &cache : nullptr);
  } catch (const ConfigError& error) {
    candidate.why_not = error.what();
  } catch (const DataError& error) {
    candidate.why_not = error.what();
  }
  return candidate;
}

// Those on the command line, which must be there before any is ranked, or else the whole zoo.
Names sources_of(const Names& given) {
  for (const std::string& name : given) zoo::resolve(name);
  Names sources = given;
  if (given.empty()) {
    for (const zoo::Found& found : zoo::list()) sources.push_back(found.name);
  }
  return sources;
}

std::vector<RankCandidate> rank_all(const Names& sources, bool named, const Names& scores, const Arguments& arguments) {
  recipe::DataCache opened;
  std::vector<RankCandidate> candidates;
  for (const std::string& source : sources) {
    candidates.push_back(rank_one(source, named, scores, arguments, opened));
  }
  // Nobody has asked for the data, whose mistakes must be told all the same.
  if (std::none_of(candidates.begin(), candidates.end(), [](const auto& each) { return each.readable; })) {
    opened.open(data::parse_reference(arguments.text("data")), reading_of(arguments));
  }
  return candidates;
}

// NaN stands for none, and comes last.
double value_of(const RankCandidate& candidate, const std::string& score) {
  const auto found = candidate.ranked.scores.find(score);
  const bool known = candidate.why_not.empty() && found != candidate.ranked.scores.end() && found->second;
  return known ? *found->second : std::nan("");
}

void sort_by(std::vector<RankCandidate>& candidates, const std::string& score) {
  const auto place = [&](const RankCandidate& candidate) {
    const double value = value_of(candidate, score);
    return std::pair(!candidate.why_not.empty() + (std::isnan(value) ? 1 : 0), std::isnan(value) ? 0 : -value);
  };
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

// τ of each score with the accuracies after fine-tuning that a file tells: {"SOURCE": accuracy, …}.
Json agreement_with(const Json& accuracies, const std::vector<RankCandidate>& candidates, const Names& scores) {
  Json result = Json::object();
  for (const std::string& score : scores) {
    std::vector<double> values, reached;
    for (const RankCandidate& candidate : candidates) {
      const double value = value_of(candidate, score);
      if (std::isnan(value) || !accuracies.contains(candidate.name)) continue;
      values.push_back(value);
      reached.push_back(accuracies.at(candidate.name).get<double>());
    }
    const double tau = kendall(values, reached);
    result[score] = {{"tau", std::isnan(tau) ? Json() : Json(tau)}, {"candidates", values.size()}};
  }
  return result;
}

Json read_accuracies(const std::string& file, const Names& sources) {
  const Json json = read_json(file);
  if (!json.is_object()) throw_type(file, "an object of accuracies by source", json);
  for (const auto& [name, value] : json.items()) {
    if (!value.is_number()) throw_type(file + ": " + name, "a number", value);
    if (std::count(sources.begin(), sources.end(), name) > 0) continue;
    throw ConfigError({file, "accuracies of sources that are ranked", quote(name), did_you_mean(name, sources)});
  }
  return json;
}

Json json_of(const RankCandidate& candidate) {
  Json json{{"source", candidate.name}, {"readable", candidate.readable}, {"fits", candidate.why_not.empty()}};
  if (!candidate.why_not.empty()) {
    json["why_not"] = candidate.why_not;
    return json;
  }
  json["features"] = candidate.ranked.features;
  for (const auto& [name, value] : candidate.ranked.scores) json["scores"][name] = value ? Json(*value) : Json();
  json["seconds"] = candidate.ranked.seconds;
  return json;
}

std::string ranking_text(const std::vector<RankCandidate>& candidates, const Names& scores, const Json& agreement) {
  Names header = {"source", "features"};
  header.insert(header.end(), scores.begin(), scores.end());
  header.emplace_back("seconds");
  std::vector<Names> rows;
  std::string others;
  for (const RankCandidate& candidate : candidates) {
    if (!candidate.why_not.empty()) {
      const bool named = candidate.why_not.starts_with(candidate.name);
      others += candidate.readable ? "does not fit: " : "cannot be read: ";
      others += (named ? "" : candidate.name + ": ") + candidate.why_not + "\n";
      continue;
    }
    Names row = {candidate.name, std::to_string(candidate.ranked.features)};
    for (const std::string& score : scores) {
      const double value = value_of(candidate, score);
      row.push_back(std::isnan(value) ? "n/a" : fmt::format("{:.4f}", value));
    }
    row.push_back(fmt::format("{:.1f}", candidate.ranked.seconds));
    rows.push_back(std::move(row));
  }
  std::string text = table_text(header, rows) + others;
  for (const auto& [name, each] : agreement.items()) {
    text += fmt::format("Kendall's tau of {} with the accuracies: {} ({} candidates)\n", name,
                        each["tau"].is_null() ? "n/a" : fmt::format("{:.3f}", each["tau"].get<double>()),
                        each["candidates"].get<std::size_t>());
  }
  return text.empty() ? "there is no source\n" : text;
}

Result rank_sources(const Names& given, const Arguments& arguments) {
  if (!arguments.has("data")) throw ConfigError({"command line", "--data REF", "none", "see --help"});
  set_threads(arguments);
  const Names scores = scores_asked_for(arguments);
  const std::string by = sorting_score(arguments, scores);
  const Names sources = sources_of(given);
  const bool compares = arguments.has("accuracies");
  const Json accuracies = compares ? read_accuracies(arguments.text("accuracies"), sources) : Json::object();
  auto candidates = rank_all(sources, !given.empty(), scores, arguments);
  sort_by(candidates, by);
  Json ranking = Json::array();
  for (const RankCandidate& candidate : candidates) ranking.push_back(json_of(candidate));
  Json json{{"data", arguments.text("data")}, {"by", by}, {"ranking", ranking}};
  Json agreement = Json::object();
  if (compares) json["kendall"] = agreement = agreement_with(accuracies, candidates, scores);
  return {json, ranking_text(candidates, scores, agreement)};
}

std::vector<Flag> rank_flags() {
  return {{"data", "REF", "the task's data, of which the training split is read"},
          {"labels-per-class", "K", "labelled examples of every class (all)"},
          {"scores", "A,B", "which scores (all)"},
          {"by", "SCORE", "the one that sorts (the first)"},
          {"accuracies", "FILE", "{\"SOURCE\": accuracy after fine-tuning}; Kendall's tau of each score with them"},
          {"cache", "FOLDER", "keeps features there for the next time"},
          strict_flag(),
          device_flag(),
          threads_flag(),
          seed_flag("of the choice of labels (0)")};
}

std::string rank_notes() {
  std::string text = "Before any of them is trained, by these scores, higher being better:\n";
  for (const TransferScore& score : transfer_scores()) {
    text += fmt::format("  {:<8} {}{}\n", score.name, score.text, score.source_classes ? " (n/a without a head)" : "");
  }
  return text;
}

}  // namespace

ZooCommand rank_command() {
  return {.name = "rank",
          .arguments = "[SOURCE…] --data REF [options]",
          .purpose = "which source would serve a task best",
          .flags = rank_flags(),
          .run = rank_sources,
          .notes = rank_notes(),
          .example = "  vaetl-zoo rank runs/a runs/b fashion-mnist-simclr --data mnist --labels-per-class 50\n"};
}

}  // namespace vaetl::apps
