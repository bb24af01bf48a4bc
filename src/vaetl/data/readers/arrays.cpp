#include "vaetl/data/readers/arrays.hpp"

#include <set>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/npy.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;

const std::set<std::string> part_words[] = {
    {"train", "training", "tr"}, {"val", "valid", "validation", "dev"}, {"test", "testing", "te", "t10k"}};
const std::set<std::string> input_words = {"x", "input", "inputs", "image", "images", "data", "feature", "features"};
const std::set<std::string> target_words = {"y", "target", "targets", "label", "labels", "class", "classes"};
const std::set<std::string> weight_words = {"w", "weight", "weights"};

// Names of the arrays for each split; empty: there is none.
struct Roles {
  std::string input = {}, target = {}, weight = {};
};
using SplitRoles = std::array<Roles, 3>;

std::set<std::string> words_of(const std::string& name) {
  std::set<std::string> words;
  std::string word;
  for (const char c : name + "_") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      words.insert(std::exchange(word, {}));
    }
  }
  return words;
}

bool shares(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& word) { return b.contains(word); });
}

std::size_t part_of(const std::set<std::string>& words) {
  for (const std::size_t part : {1, 2}) {
    if (shares(words, part_words[part])) return part;
  }
  return 0;
}

void assign(std::string& place, const std::string& name, const fs::path& path, const char* option) {
  if (place.empty()) {
    place = name;
    return;
  }
  throw DataError({path.string(), fmt::format("one array for the {} of a split", option),
                   fmt::format("{} and {}", quote(place), quote(name)), fmt::format("say which: {}=NAME", option)});
}

SplitRoles by_words(const std::vector<std::string>& names, const ArrayNames& given, const fs::path& path) {
  SplitRoles splits;
  splits[0] = {given.input, given.target, given.weight};
  splits[2] = {given.test_input, given.test_target, given.test_weight};
  const std::set<std::string> taken = {given.input,      given.target,      given.weight,
                                       given.test_input, given.test_target, given.test_weight};
  SplitRoles found;
  for (const auto& name : names) {
    const auto words = words_of(name);
    Roles& roles = found[part_of(words)];
    const Roles& own = splits[part_of(words)];
    if (taken.contains(name)) continue;
    if (shares(words, weight_words)) {
      if (own.weight.empty()) assign(roles.weight, name, path, "weight");
    } else if (shares(words, target_words)) {
      if (own.target.empty()) assign(roles.target, name, path, "target");
    } else if (shares(words, input_words) || names.size() == 1) {
      if (own.input.empty()) assign(roles.input, name, path, "input");
    }
  }
  for (std::size_t part = 0; part < splits.size(); ++part) {
    if (splits[part].input.empty()) splits[part].input = found[part].input;
    if (splits[part].target.empty()) splits[part].target = found[part].target;
    if (splits[part].weight.empty()) splits[part].weight = found[part].weight;
  }
  return splits;
}

void require_input(const SplitRoles& splits, const std::vector<std::string>& names, const fs::path& path) {
  const bool any = std::any_of(splits.begin(), splits.end(), [](const Roles& r) { return !r.input.empty(); });
  if (any) return;
  throw DataError({path.string(), "an array whose name tells that it is the input, such as x, images or X_train",
                   names.empty() ? "no arrays" : "only " + join(names), "name it: input=NAME"});
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& file = it->path();
    if (file.extension() == ".npy" && !file.filename().string().starts_with('.')) names.push_back(file.stem().string());
  }
  if (error) throw DataError({folder.string(), "a folder that can be read", quote(error.message()), {}});
  std::sort(names.begin(), names.end());
  return names;
}

at::Tensor array_in(const fs::path& folder, const std::string& name) {
  if (name.empty()) return {};
  const fs::path file = folder / (name.ends_with(".npy") ? name : name + ".npy");
  return read_npy(file);
}

SplitArrays arrays_in(const fs::path& folder, const Roles& names) {
  return {array_in(folder, names.input), array_in(folder, names.target), array_in(folder, names.weight),
          (folder / names.input).string()};
}

std::array<SplitArrays, 3> read_folder(const fs::path& folder, const ArrayNames& given) {
  const auto names = names_in(folder);
  const SplitRoles splits = by_words(names, given, folder);
  require_input(splits, names, folder);
  std::array<SplitArrays, 3> result;
  for (std::size_t part = 0; part < splits.size(); ++part) {
    if (splits[part].input.empty()) continue;
    result[part] = arrays_in(folder, splits[part]);
  }
  return result;
}

std::array<SplitArrays, 3> read_archive(const fs::path& file, const ArrayNames& given) {
  const auto names = npz_names(file);
  const SplitRoles splits = by_words(names, given, file);
  require_input(splits, names, file);
  std::vector<std::string> wanted;
  for (const Roles& roles : splits) {
    for (const std::string& name : {roles.input, roles.target, roles.weight}) {
      if (!name.empty() && !roles.input.empty()) wanted.push_back(name);
    }
  }
  const auto arrays = read_npz(file, wanted);
  auto array = [&](const std::string& name) { return name.empty() ? at::Tensor() : arrays.at(name); };
  std::array<SplitArrays, 3> result;
  for (std::size_t part = 0; part < splits.size(); ++part) {
    if (splits[part].input.empty()) continue;
    result[part] = {array(splits[part].input), array(splits[part].target), array(splits[part].weight),
                    fmt::format("{}, {}", file.string(), quote(splits[part].input))};
  }
  return result;
}

}  // namespace

std::array<SplitArrays, 3> read_arrays(const fs::path& path, const ArrayNames& names) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw DataError({path.string(), "a .npy or .npz file, or a folder of .npy", "nothing there", "check the path"});
  }
  if (fs::is_directory(path, ignored)) return read_folder(path, names);
  if (path.extension() == ".npz") return read_archive(path, names);
  const fs::path folder = path.parent_path();
  const Roles test = {names.test_input, names.test_target, names.test_weight};
  return {SplitArrays{read_npy(path), array_in(folder, names.target), array_in(folder, names.weight), path.string()},
          {},
          test.input.empty() ? SplitArrays{} : arrays_in(folder, test)};
}

}  // namespace vaetl::readers
