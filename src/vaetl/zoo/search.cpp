#include <dlfcn.h>

#include <cstdlib>

#include "vaetl/core/error.hpp"
#include "vaetl/core/query.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/safetensors.hpp"
#include "vaetl/zoo/places.hpp"
#include "vaetl/zoo/search.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::zoo {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::vector<fs::path> path_list(const std::string& text) {
  std::vector<fs::path> paths;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ':');) {
    if (!part.empty()) paths.emplace_back(part);
  }
  return paths;
}

// The file that holds this code: the library, or a program that it is linked into.
fs::path own_file() {
  Dl_info info{};
  std::error_code ignored;
  fs::path file = dladdr(reinterpret_cast<const void*>(&search_path), &info) && info.dli_fname ? info.dli_fname : "";
  if (!file.is_absolute()) file = fs::read_symlink("/proc/self/exe", ignored);
  return fs::weakly_canonical(file, ignored);
}

bool lies_in(const fs::path& file, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first == folder.end();
}

bool is_entry(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / card_file, ignored);
}

std::optional<fs::path> find_entry(const std::string& name) {
  if (!is_entry_name(name)) return std::nullopt;
  for (const fs::path& folder : search_path()) {
    if (is_entry(folder / name)) return folder / name;
  }
  return std::nullopt;
}

constexpr const char* expected_model =
    "a zoo entry, a run folder, an entry's folder, a *.safetensors or a PyTorch file";

std::vector<std::string> checkpoints_of(const fs::path& run) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(run / "checkpoints", error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (fs::is_regular_file(it->path() / "model.safetensors", ignored)) names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

fs::path resolve_folder(const fs::path& folder) {
  if (is_entry(folder)) return folder;
  if (is_entry(folder / "model")) return folder / "model";
  std::error_code ignored;
  const bool unfinished = fs::is_directory(folder / "checkpoints", ignored);
  std::string remedy = unfinished ? "finish it with --resume" : "";
  if (!checkpoints_of(folder).empty()) remedy += ", or take its last checkpoint: " + folder.string() + "?which=last";
  throw FileError({folder.string(), expected_model,
                   unfinished ? "a run that has not finished" : "a folder without model.json", remedy});
}

// By its bytes; a name that promises weights is believed, so that what is wrong with them is told.
bool is_weights_file(const fs::path& file) {
  if (file.extension() == ".safetensors" || is_pytorch(file)) return true;
  try {
    read_safetensors_header(file);
    return true;
  } catch (const FileError&) {
    return false;
  }
}

// What may stand behind the ? of a file or a run folder.
struct ReferenceOptions {
  std::string key = {}, strip_prefix = {}, which = {};
  static constexpr auto fields() {
    using R = ReferenceOptions;
    constexpr auto pytorch = PytorchOptions::fields();
    return std::tuple{field("key", &R::key, std::get<0>(pytorch).doc),
                      field("strip_prefix", &R::strip_prefix, std::get<1>(pytorch).doc),
                      field("which", &R::which, "a run's checkpoint: last, best or step-N")};
  }
};

// What validation, evaluation and the run's own model take.
fs::path resolve_checkpoint(const fs::path& run, const std::string& which) {
  const auto known = checkpoints_of(run);
  if (std::find(known.begin(), known.end(), which) == known.end()) {
    throw FileError({run.string() + "?which=" + which,
                     known.empty() ? "a run folder with checkpoints" : "one of the checkpoints " + join(known),
                     "none of that name", known.empty() ? "leave which out" : did_you_mean(which, known)});
  }
  const fs::path folder = run / "checkpoints" / which, averaged = folder / "averaged.safetensors";
  std::error_code ignored;
  return fs::is_regular_file(averaged, ignored) ? averaged : folder / "model.safetensors";
}

std::optional<fs::path> find_path(const FileReference& reference) {
  std::error_code ignored;
  const auto& [path, options, which] = reference;
  if (!which.empty() && fs::exists(path, ignored)) return resolve_checkpoint(path, which);
  if (fs::is_directory(path, ignored)) return resolve_folder(path);
  if (!fs::is_regular_file(path, ignored)) return std::nullopt;
  if (is_weights_file(path)) return path;
  throw FileError({path.string(), expected_model, "another file", {}});
}

std::string suggestion(const std::string& name) {
  std::vector<std::string> names, places;
  for (const Found& found : list()) names.push_back(found.name);
  if (!names.empty()) return did_you_mean(name, names);
  for (const fs::path& folder : search_path()) places.push_back(folder.string());
  return "the zoo is empty; looked in " + join(places);
}

}  // namespace

fs::path zoo_of(const fs::path& library) {
  std::error_code ignored;
  if (lies_in(library, fs::weakly_canonical(build_folder, ignored))) return source_zoo;
  fs::path prefix = library.parent_path();
  for (int up = 0; up < 2; ++up) {
    prefix = prefix.parent_path();
    if (fs::is_directory(prefix / "share/vaetl/zoo", ignored)) return prefix / "share/vaetl/zoo";
  }
  return installed_zoo;
}

fs::path shipped_zoo() { return zoo_of(own_file()); }

std::vector<fs::path> search_path() {
  std::vector<fs::path> folders = path_list(environment("VAETL_ZOO"));
  const std::string data = environment("XDG_DATA_HOME"), home = environment("HOME");
  if (!data.empty()) {
    folders.push_back(fs::path(data) / "vaetl/zoo");
  } else if (!home.empty()) {
    folders.push_back(fs::path(home) / ".local/share/vaetl/zoo");
  }
  folders.push_back(shipped_zoo());
  return folders;
}

std::vector<Found> list() {
  std::map<std::string, fs::path> entries;
  for (const fs::path& folder : search_path()) {
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (is_entry_name(name) && is_entry(it->path())) entries.emplace(name, it->path());
    }
  }
  std::vector<Found> found;
  for (const auto& [name, folder] : entries) found.push_back({name, folder});
  return found;
}

FileReference file_reference(std::string_view reference) {
  const std::string text(reference), place = "model " + quote(text);
  const auto mark = text.find('?');
  std::error_code ignored;
  if (mark == text.npos || fs::exists(text, ignored)) return {text};
  Json options = parse_query(std::string_view(text).substr(mark + 1), place, text);
  for (auto& [key, value] : options.items()) {
    if (!value.is_string()) value = value.dump();  // key=0, the first of a pair
  }
  const auto given = from_json<ReferenceOptions>(options, place);
  return {query_unescaped(text.substr(0, mark)), {.key = given.key, .strip_prefix = given.strip_prefix}, given.which};
}

fs::path resolve(std::string_view reference) {
  constexpr std::string_view scheme = "zoo:";
  const bool named = reference.starts_with(scheme);
  const std::string name(named ? reference.substr(scheme.size()) : reference);
  if (auto entry = find_entry(name)) return *entry;
  if (!named && !name.empty()) {
    if (auto path = find_path(file_reference(name))) return *path;
  }
  throw FileError(
      {"model " + quote(reference), named ? "a zoo entry" : expected_model, "none of that name", suggestion(name)});
}

}  // namespace vaetl::zoo
