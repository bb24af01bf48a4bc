#include "vaetl/data/open.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>

#include "vaetl/core/text.hpp"

namespace vaetl::data {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_absent(const KnownSet& set) {
  std::vector<std::string> places;
  for (const auto& folder : candidates(set)) places.push_back(folder.string());
  std::string remedy = fmt::format("set VAETL_DATA to the folder that holds {}/", set.name);
  if (!set.by_hand.empty()) remedy += "; " + set.by_hand;
  if (set.can_fetch()) remedy = fmt::format("vaetl-data fetch {}, or {}", set.name, remedy);
  if (!set.package.empty()) remedy = fmt::format("apt-get install {}, or {}", set.package, remedy);
  throw DataError({set.name, "a folder with its files", "none at " + join(places), remedy});
}

[[noreturn]] void throw_unknown(const Reference& reference) {
  std::vector<std::string> names;
  for (const auto& set : known_sets()) names.push_back(set.name);
  std::error_code ignored;
  const bool path = fs::exists(reference.name, ignored);
  const std::string some = join(std::span(names).first(std::min<std::size_t>(names.size(), 4)));
  throw ConfigError({"data", fmt::format("a known set ({}, …: vaetl-data list) or a reference such as idx:DIR", some),
                     quote(reference.name),
                     path ? "for a folder of IDX files write " + quote("idx:" + reference.name)
                          : did_you_mean(reference.name, names)});
}

bool same_kind(const Json& one, const Json& other) {
  return one.is_object() && other.is_object() && one.value("name", "") == other.value("name", "");
}

// What tokens are and which id each has: lines that a language model's weights classify must have the ids that its text
// had. How a text is cleaned before, a reference may tell otherwise.
constexpr std::array id_keys = {"by", "vocabulary", "pieces", "marks", "ngrams"};
constexpr std::array cleaning_keys = {"lower", "punctuation"};

bool both_read_texts(const Json& one, const Json& other) {
  return one.is_object() && other.is_object() && one.contains("vocabulary") && other.contains("vocabulary");
}

// What a model's data taught a reader of this kind.
Json learnt_options(const std::string& kind, const Json& fitted) {
  if (!fitted.is_object() || !registry<Reader>().has(kind)) return Json::object();
  if (fitted.value("name", "") == kind) return fitted;
  const Json known = registry<Reader>().schema(kind)["properties"];
  Json options = Json::object();
  if (!both_read_texts(known, fitted)) return options;
  const auto take = [&](const char* key) {
    if (known.contains(key) && fitted.contains(key)) options[key] = fitted[key];
  };
  for (const char* key : id_keys) take(key);
  for (const char* key : cleaning_keys) take(key);
  return options;
}

// The spec's options, with what a model's data taught, and the reference's own on top.
Json options_of(const Json& spec, const Json& fitted, const Json& own) {
  Json options = learnt_options(spec.at("name"), fitted);
  options.update(spec);
  options.erase("name");
  options.erase("path");
  options.update(own);
  return options;
}

// What a model learnt to read must be what these data were read by: a packed file brings its own, and options of the
// reference may contradict.
void check_alike(const Splits& splits, const Json& fitted, const std::string& where) {
  const Json& own = splits.train.info().reader;
  const auto refuse_other = [&](const char* key, const Json& mine, const Json& learnt) {
    if (mine == learnt) return;
    throw DataError({where, fmt::format("{} as the model learnt them, {}", key, quote(learnt.dump())),
                     quote(mine.dump()), "read the files themselves, without that option, instead of a packed copy"});
  };
  if (both_read_texts(own, fitted)) {
    const Json plain{{"marks", false}, {"ngrams", 1}};  // of a reader that has no such option
    const auto of = [&](const Json& reader, const char* key) {
      return reader.contains(key) ? reader[key] : plain.value(key, Json());
    };
    for (const char* key : id_keys) refuse_other(key, of(own, key), of(fitted, key));
  }
  if (!same_kind(own, fitted)) return;
  for (const char* key : {"classes", "columns"}) {
    if (own.contains(key) && fitted.contains(key)) refuse_other(key, own[key], fitted[key]);
  }
}

Splits read(const std::string& kind, const fs::path& path, const Json& options, const Reading& reading) {
  Splits splits = registry<Reader>().make({kind, options}, "data")->open(path, reading);
  check_alike(splits, reading.fitted, path.string());
  return splits;
}

Splits open_known(const KnownSet& set, const Reference& reference, Reading reading) {
  const auto folder = locate(set);
  if (!folder) throw_absent(set);
  reading.about = {.name = set.name, .licence = set.licence, .classes = set.classes};
  const Json& form = reader_in(set, *folder);
  const std::string path = form.value("path", std::string());
  return read(form.at("name"), path.empty() ? *folder : *folder / path,
              options_of(form, reading.fitted, reference.options), reading);
}

// The labels to keep, and the options without them.
std::vector<std::int64_t> take_keep(Json& options) {
  const auto found = options.find("keep");
  if (found == options.end()) return {};
  std::vector<std::int64_t> labels;
  Codec<std::vector<std::int64_t>>::read(*found, "data.keep", labels, Rule{.range = at_least(0)});
  options.erase("keep");
  std::vector<std::int64_t> sorted = labels;
  std::sort(sorted.begin(), sorted.end());
  if (labels.empty() || std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    throw ConfigError({"data.keep", "different labels, one at least", Json(labels).dump(), {}});
  }
  return labels;
}

Dataset kept(const Dataset& data, const std::vector<std::int64_t>& labels, const std::string& where) {
  if (data.size() == 0) return data;
  const std::int64_t classes = data.classes();
  if (classes == 0) throw DataError({where, "labels, of which some are to be kept", "none", "leave keep out"});
  at::Tensor place = at::full({classes}, -1, at::kLong);
  DatasetInfo info = data.info();
  info.classes.clear();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= classes) {
      throw DataError({where, fmt::format("labels below {} to keep", classes), std::to_string(labels[i]), {}});
    }
    place[labels[i]] = static_cast<std::int64_t>(i);
    if (!data.info().classes.empty()) info.classes.push_back(data.info().classes[static_cast<std::size_t>(labels[i])]);
  }
  const at::Tensor places = place.index_select(0, data.labels()), chosen = places.ge(0).nonzero().squeeze(1);
  info.fields["target"].high = static_cast<double>(labels.size() - 1);
  return data.select(chosen).without("target").with("target", places.index_select(0, chosen)).described(info);
}

Splits open_all(const Reference& reference, const Reading& reading) {
  if (reference.path.empty()) {
    const KnownSet* set = find_known(reference.name);
    if (set == nullptr) throw_unknown(reference);
    return open_known(*set, reference, reading);
  }
  Reading mine = reading;
  if (mine.about.name.empty()) mine.about.name = reference.name + ":" + reference.path;
  return read(reference.name, reference.path, options_of({{"name", reference.name}}, reading.fitted, reference.options),
              mine);
}

}  // namespace

Splits open(const Reference& reference, const Reading& reading) {
  Reference all = reference;
  const std::vector<std::int64_t> labels = take_keep(all.options);
  Splits splits = open_all(all, reading);
  if (labels.empty()) return splits;
  for (Dataset* split : {&splits.train, &splits.validation, &splits.test})
    *split = kept(*split, labels, reference.text());
  return splits;
}

Splits open(const std::string& reference, const Reading& reading) { return open(parse_reference(reference), reading); }

}  // namespace vaetl::data
