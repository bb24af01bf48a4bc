#include "vaetl/recipe/data.hpp"

#include "vaetl/core/text.hpp"

namespace vaetl::recipe {
namespace {

// Opens what a section names. What the first set's reader learnt reads the sets after it.
class Opener {
 public:
  Opener(DataCache& cache, Reading reading, const data::Reference& first)
      : cache_(cache), reading_(std::move(reading)), first_(first) {}
  // Without labels the classes may be others than the first set's.
  const Splits& open(const data::Reference& reference, bool labels = true) {
    if (reference == first_) return cache_.open(reference, reading_);
    Reading like = reading_;
    if (like.fitted.is_null()) like.fitted = cache_.open(first_, reading_).train.info().reader;
    if (!labels && like.fitted.is_object()) like.fitted.erase("classes");
    return cache_.open(reference, like);
  }

 private:
  DataCache& cache_;
  Reading reading_;
  data::Reference first_;
};

Dataset open_stream(const DataOptions& options, const std::string& path, std::uint64_t seed, Opener& opener) {
  Dataset data = opener.open(options.open, options.labels).train;
  if (data.size() == 0) {
    throw DataError({path + ".open", "a set with a train split", quote(options.open.text()) + " without one", {}});
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

Dataset open_score(const ScoreOptions& options, const std::string& split, const std::string& path, Opener& opener) {
  const Splits& splits = opener.open(options.open);
  const Dataset& data = split == "test" ? splits.test : split == "train" ? splits.train : splits.validation;
  if (data.size() > 0) return data;
  throw DataError({path, fmt::format("a {} split in {}", split, quote(options.open.text())), "an empty one",
                   split == "test" ? "set split to train where all of the set is to be scored" : ""});
}

// What scores must not be what is trained on, and what chooses must not be what reports.
void check_apart(const DataSection& section, const ScoreOptions& validation, const std::string& split) {
  const data::Reference& trained = section.streams[0].second.open;
  const ScoreOptions test = section.test.value_or(ScoreOptions{.open = trained});
  const bool is_train = validation.open == trained && split == "train";
  const bool is_test = validation.open == test.open && split == test.split.value_or("test");
  if (!is_train && !is_test) return;
  throw ConfigError({"data.validation", "data apart from those for training and test",
                     is_train ? "the training data" : "the test data",
                     "hold some out of train: \"validation\": 0.1 in the stream"});
}

void hold_out_validation(Data& data, const DataSection& section, std::uint64_t seed, Opener& opener) {
  const DataOptions& options = section.streams[0].second;
  Stream& first = data.pipeline.streams[0];
  if (section.validation) {
    const std::string split = section.validation->split.value_or("train");
    check_apart(section, *section.validation, split);
    data.pipeline.validation = open_score(*section.validation, split, "data.validation", opener);
  } else if (options.validation > 0 || !options.fold.empty()) {
    Parts parts = options.fold.empty() ? hold_out(first.data, options.validation, seed)
                                       : fold(first.data, options.fold[0], options.fold[1], seed);
    first.data = std::move(parts.rest);
    data.pipeline.validation = std::move(parts.held);
  } else if (const Dataset& own = opener.open(options.open).validation; own.size() > 0) {
    data.pipeline.validation = options.labels || !own.has("target") ? own : own.without("target");
  }
}

std::optional<Dataset> open_test(const DataSection& section, Opener& opener) {
  if (section.test) return open_score(*section.test, section.test->split.value_or("test"), "data.test", opener);
  const Dataset& test = opener.open(section.streams[0].second.open).test;
  return test.size() > 0 ? std::optional(test) : std::nullopt;
}

}  // namespace

Data open_data(const DataSection& section, std::uint64_t seed, DataCache& cache, Reading reading) {
  reading.strict = section.strict;
  if (!section.preprocess.empty()) reading.fitted = {};
  Opener opener(cache, std::move(reading), section.streams[0].second.open);
  std::vector<Stream> streams;
  for (const auto& [name, options] : section.streams) {
    const std::string path = section.short_form ? "data" : "data." + name;
    streams.push_back(make_stream(name, options, open_stream(options, path, seed, opener)));
  }
  Data data{Pipeline(std::move(streams)), std::nullopt};
  data.pipeline.preprocess = section.preprocess;
  hold_out_validation(data, section, seed, opener);
  for (std::size_t i = 0; i < section.streams.size(); ++i) {
    Dataset& examples = data.pipeline.streams[i].data;
    if (const auto& weights = section.streams[i].second.class_weights) examples = examples.weigh_classes(weights->each);
  }
  data.test = open_test(section, opener);
  return data;
}

}  // namespace vaetl::recipe
