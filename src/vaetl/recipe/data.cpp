#include "vaetl/recipe/data.hpp"

namespace vaetl::recipe {
namespace {

Dataset open_stream(const DataOptions& options, const std::string& path, std::uint64_t seed, DataCache& cache) {
  Dataset data = cache.open(options.open).train;
  if (data.size() == 0) {
    throw DataError({path + ".open", "a set with a train split", "\"" + options.open + "\" without one", {}});
  }
  if (!options.labels && data.has("target")) return data.without("target");
  if (options.take_per_class > 0) return data.take_per_class(options.take_per_class, seed);
  return data;
}

Stream make_stream(const std::string& name, const DataOptions& options, Dataset data) {
  return {.name = name,
          .data = std::move(data),
          .batch_size = options.batch_size,
          .order = options.order,
          .views = options.views,
          .augment = options.augment};
}

Dataset open_score(const ScoreOptions& options, const std::string& split, const std::string& path, DataCache& cache) {
  const Splits& splits = cache.open(options.open);
  const Dataset& data = split == "test" ? splits.test : splits.train;
  if (data.size() > 0) return data;
  throw DataError({path, fmt::format("a {} split in \"{}\"", split, options.open), "an empty one",
                   split == "test" ? "set split to train where all of the set is to be scored" : ""});
}

// What scores must not be what is trained on, and what chooses must not be what reports.
void check_apart(const DataSection& section, const ScoreOptions& validation, const std::string& split) {
  const std::string& trained = section.streams[0].second.open;
  const ScoreOptions test = section.test.value_or(ScoreOptions{.open = trained});
  const bool is_train = validation.open == trained && split == "train";
  const bool is_test = validation.open == test.open && split == test.split.value_or("test");
  if (!is_train && !is_test) return;
  throw ConfigError({"data.validation", "data apart from those for training and test",
                     is_train ? "the training data" : "the test data",
                     "hold some out of train: \"validation\": 0.1 in the stream"});
}

void hold_out_validation(Data& data, const DataSection& section, std::uint64_t seed, DataCache& cache) {
  const DataOptions& options = section.streams[0].second;
  Stream& first = data.pipeline.streams[0];
  if (section.validation) {
    const std::string split = section.validation->split.value_or("train");
    check_apart(section, *section.validation, split);
    data.pipeline.validation = open_score(*section.validation, split, "data.validation", cache);
  } else if (options.validation > 0 || !options.fold.empty()) {
    Parts parts = options.fold.empty() ? hold_out(first.data, options.validation, seed)
                                       : fold(first.data, options.fold[0], options.fold[1], seed);
    first.data = std::move(parts.rest);
    data.pipeline.validation = std::move(parts.held);
  }
}

std::optional<Dataset> open_test(const DataSection& section, DataCache& cache) {
  if (section.test) return open_score(*section.test, section.test->split.value_or("test"), "data.test", cache);
  const Dataset& test = cache.open(section.streams[0].second.open).test;
  return test.size() > 0 ? std::optional(test) : std::nullopt;
}

}  // namespace

Data open_data(const DataSection& section, std::uint64_t seed, DataCache& cache) {
  std::vector<Stream> streams;
  for (const auto& [name, options] : section.streams) {
    const std::string path = section.short_form ? "data" : "data." + name;
    streams.push_back(make_stream(name, options, open_stream(options, path, seed, cache)));
  }
  Data data{Pipeline(std::move(streams)), std::nullopt};
  data.pipeline.preprocess = section.preprocess;
  hold_out_validation(data, section, seed, cache);
  data.test = open_test(section, cache);
  return data;
}

}  // namespace vaetl::recipe
