#include "vaetl/data/readers/ts.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/cases.hpp"
#include "vaetl/data/readers/padding.hpp"
#include "vaetl/data/readers/text_values.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;
using TsOptions = Ts::Options;

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.rfind(from);
  return at == std::string::npos ? std::string() : text.replace(at, from.size(), to);
}

// The file itself, or the only NAME_TRAIN of a folder.
fs::path training_file(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(path, ignored)) {
    if (entry.path().filename().string().find("_TRAIN.") != std::string::npos) found.push_back(entry.path());
  }
  if (found.size() == 1) return found[0];
  throw DataError({path.string(), "one file NAME_TRAIN.ts, .tsv or .txt", found.empty() ? "none" : "several",
                   "give the file itself"});
}

// The named file, or NAME_TEST beside NAME_TRAIN; empty: there is none.
fs::path test_file(const fs::path& train, const TsOptions& options) {
  if (!options.test.empty()) return train.parent_path() / options.test;
  if (options.test_share > 0) return {};
  const std::string name = replaced(train.filename().string(), "_TRAIN", "_TEST");
  std::error_code ignored;
  return !name.empty() && fs::exists(train.parent_path() / name, ignored) ? train.parent_path() / name : fs::path();
}

bool all_known(const Cases& cases, const TsOptions& options) {
  const Labels labels(options.classes);
  return std::all_of(cases.labels.begin(), cases.labels.end(), [&](const auto& label) { return labels.find(label); });
}

// The longest of the cases that stay for training where a share is held out for test: the same as split_off() keeps.
std::int64_t longest_kept(const Cases& cases, const TsOptions& options) {
  const Labels labels(options.classes);
  Fields fields;
  fields.set("input", at::tensor(cases.lengths, at::kLong));
  if (!cases.labels.empty()) {
    std::vector<std::int64_t> numbers;
    for (const auto& label : cases.labels) numbers.push_back(*labels.find(label));
    fields.set("target", at::tensor(numbers, at::kLong));
  }
  const Parts parts = hold_out(Dataset::from_tensors(fields), options.test_share, /*seed=*/0);
  return parts.rest.column("input").max().item<std::int64_t>();
}

// Completes the options by the training cases.
TsOptions learn(TsOptions options, const Cases& cases) {
  if (options.dims > 0) return options;
  options.dims = cases.dims;
  const bool measure = options.length == 0;
  if (measure) options.length = *std::max_element(cases.lengths.begin(), cases.lengths.end());
  auto shorter = [&](std::int64_t length) { return length < options.length; };
  options.padded = std::any_of(cases.lengths.begin(), cases.lengths.end(), shorter);
  if (options.classes.empty() && !cases.labels.empty()) {
    std::vector<std::string> names = cases.labels;
    names.insert(names.end(), cases.declared.begin(), cases.declared.end());
    options.classes = sorted_names(std::move(names));
  }
  if (measure && options.test_share > 0 && all_known(cases, options)) options.length = longest_kept(cases, options);
  return options;
}

CaseRules rules_of(const TsOptions& options) {
  const bool rows_tell = options.dims == 1 && !options.padded;
  return {options.dims, rows_tell ? options.length : 0, options.missing == "interpolate"};
}

// Positions of the cases that fit what was learnt.
std::vector<std::int64_t> usable(const Cases& cases, const TsOptions& options, Skips& skips) {
  const Labels labels(options.classes);
  std::vector<std::int64_t> positions;
  for (std::int64_t i = 0; i < cases.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!options.padded && cases.lengths[at] < options.length) {
      skips.add({cases.places[at],
                 fmt::format("{} values, as in the training cases", options.length),
                 fmt::format("{}", cases.lengths[at]),
                 {}});
    } else if (!cases.labels.empty() && !labels.find(cases.labels[at])) {
      skips.add({cases.places[at], "a label of the training cases", quote(cases.labels[at]),
                 did_you_mean(cases.labels[at], options.classes)});
    } else {
      positions.push_back(i);
    }
  }
  return positions;
}

Fields fields_of(const Cases& cases, const TsOptions& options, const fs::path& file, Skips& skips) {
  const auto chosen = usable(cases, options, skips);
  const auto count = static_cast<std::int64_t>(chosen.size());
  check_padding(file.string(), count, options.length * options.dims, static_cast<std::int64_t>(cases.values.size()));
  std::vector<std::int64_t> starts{0};
  for (const std::int64_t length : cases.lengths) starts.push_back(starts.back() + length * cases.dims);
  const Labels labels(options.classes);
  at::Tensor input = at::zeros({count, options.length, options.dims}, at::kFloat);
  at::Tensor length = at::empty({count}, at::kLong), target = at::empty({count}, at::kLong);
  at::Tensor value = at::empty({count, 1}, at::kFloat);
  for (std::int64_t row = 0; row < count; ++row) {
    const auto at = static_cast<std::size_t>(chosen[static_cast<std::size_t>(row)]);
    const std::int64_t kept = std::min(cases.lengths[at], options.length);
    std::copy_n(cases.values.begin() + starts[at], kept * options.dims, input[row].data_ptr<float>());
    length.mutable_data_ptr<std::int64_t>()[row] = kept;
    if (!cases.labels.empty()) target.mutable_data_ptr<std::int64_t>()[row] = *labels.find(cases.labels[at]);
    if (!cases.targets.empty()) value.mutable_data_ptr<float>()[row] = cases.targets[at];
  }
  Fields fields;
  fields.set("input", input);
  if (options.padded) fields.set("length", length);
  if (!cases.labels.empty()) fields.set("target", target);
  if (!cases.targets.empty()) fields.set("target", value);
  return fields;
}

DatasetInfo info_of(const TsOptions& options, const Reading& reading) {
  DatasetInfo info = reading.about;
  if (info.classes.size() != options.classes.size()) info.classes = options.classes;
  info.reader = Json{{"name", Ts::name}};
  info.reader.update(to_json(options));
  for (const char* key : {"test", "test_share"}) info.reader.erase(key);
  info.preprocess = Json::array({{{"name", "standardise_series"}}});
  return info;
}

}  // namespace

void TsOptions::validate() const {
  if (test.empty() || test_share == 0) return;
  throw ConfigError({"ts.test_share", "0 beside test", fmt::format("{}", test_share), {}});
}

std::unique_ptr<FurtherStream> Ts::further(const Place& place) const {
  if (place.descriptor >= 0) {
    throw DataError({place.name(), "a file of series (.ts, .tsv, .txt, .csv or .npy)", "a stream", "name the file"});
  }
  std::vector<Problem> left_out;
  const Reading reading{.skipped = [&](const Problem& problem) { left_out.push_back(problem); }};
  Skips skips(reading);
  Cases cases = read_cases(place.path, rules_of(options_), skips);
  cases.labels.clear();
  cases.targets.clear();
  std::vector<std::string> names;
  Fields fields = fields_of(cases, options_, place.path, skips);
  skips.check_left(fields.size(), place.name());
  const Reading silent;
  Skips known(silent);
  for (const std::int64_t i : usable(cases, options_, known))
    names.push_back(cases.places[static_cast<std::size_t>(i)]);
  return further_of(Dataset::from_tensors(std::move(fields)), place, std::move(names), std::move(left_out));
}

Splits Ts::open(const fs::path& path, const Reading& reading) const {
  const fs::path file = training_file(path), test = test_file(file, options_);
  Skips skips(reading);
  const Cases cases = read_cases(file, rules_of(options_), skips);
  skips.check_left(cases.size(), file.string());
  const TsOptions options = learn(options_, cases);
  const DatasetInfo info = info_of(options, reading);
  Fields fields = fields_of(cases, options, file, skips);
  skips.check_left(fields.size(), file.string());
  const Dataset all = make_split(std::move(fields), info, "train");
  if (test.empty()) return split_off(all, options.test_share);
  CaseRules rules = rules_of(options);
  if (!cases.labels.empty()) rules.columns = 0;  // so has every row of the test file
  const Cases others = read_cases(test, rules, skips);
  Fields held = fields_of(others, options, test, skips);
  skips.check_left(held.size(), test.string());
  return {all, none_of(all, "validation"), make_split(std::move(held), info, "test")};
}

}  // namespace vaetl::readers
