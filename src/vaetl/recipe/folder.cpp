#include "vaetl/recipe/folder.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/recipe/recipe.hpp"

namespace vaetl::recipe {
namespace {

namespace fs = std::filesystem;

std::string short_text(const Json& json) {
  return json.is_null() ? "nothing" : quote(json.dump(-1, ' ', false, Json::error_handler_t::replace), 40);
}

Json child(const Json& json, const std::string& key) { return json.contains(key) ? json[key] : Json(); }

bool holds_nothing(const fs::path& folder) {
  std::error_code error;
  return !fs::exists(folder, error) || fs::is_empty(folder, error);
}

void refuse_new_run(const fs::path& folder) {
  if (holds_nothing(folder)) return;
  const bool run = fs::exists(folder / "recipe.json");
  throw OutputError({folder.string(), "a new or an empty folder",
                     run ? "one that already holds a run" : "one that holds other files",
                     run ? "choose another --out, or --resume" : "choose another --out"});
}

// As this version writes it, options that it knows and the run's version did not included.
Json written_now(const Json& recipe) {
  try {
    return resolve(parse(recipe));
  } catch (const Error&) {
    return recipe;
  }
}

// A limit of time may be raised: it changes when a training ends and nothing else.
Json without_time(Json recipe) {
  if (recipe.contains("trainer") && recipe["trainer"].is_object()) recipe["trainer"].erase("max_minutes");
  return recipe;
}

double minutes_in(const Json& recipe) {
  const Json minutes = child(child(recipe, "trainer"), "max_minutes");
  return minutes.is_number() && minutes > 0 ? minutes.get<double>() : 1e300;
}

bool has_more_time(const fs::path& folder, const Json& recipe) {
  return minutes_in(recipe) > minutes_in(read_run_json(folder / "recipe.json"));
}

void check_recipe(const fs::path& folder, const Json& recipe) {
  const Json there = written_now(read_run_json(folder / "recipe.json"));
  const std::string difference = first_difference(without_time(there), without_time(recipe));
  if (difference.empty()) return;
  throw ConfigError({folder.string(), "the recipe that the run there was begun with", "another: " + difference,
                     "choose another --out"});
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder) : folder_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (folder_ && ::flock(folder_.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) return;  // a file system without locks
  throw OutputError({folder.string(), "a folder of one process", "another process at work there",
                     "wait for it, or choose another --out"});
}

std::string first_difference(const Json& a, const Json& b, const std::string& path) {
  if (a == b) return {};
  if (!a.is_object() || !b.is_object()) return fmt::format("{}: {} there, {} here", path, short_text(a), short_text(b));
  for (const Json* side : {&a, &b}) {
    for (const auto& [key, value] : side->items()) {
      const std::string difference =
          first_difference(child(a, key), child(b, key), path.empty() ? key : path + "." + key);
      if (!difference.empty()) return difference;
    }
  }
  return {};  // the same keys in another order
}

Found inspect(const fs::path& folder, const Json& recipe, const std::string& resume) {
  if (folder.empty()) return Found::nothing;
  if (resume == "never") {
    refuse_new_run(folder);
    return Found::nothing;
  }
  if (!fs::exists(folder / "recipe.json")) {
    refuse_new_run(folder);
    if (resume == "auto") return Found::nothing;
    throw FileError({folder.string(), "a run to go on from", "none", "train without --resume"});
  }
  check_recipe(folder, recipe);
  if (!fs::exists(folder / "run.json")) return Found::unfinished;
  const Json run = read_run_json(folder / "run.json");
  if (child(run, "status") != "done") return Found::unfinished;
  return child(run, "ended") == "max_minutes" && has_more_time(folder, recipe) ? Found::unfinished : Found::finished;
}

RunFolder::RunFolder(fs::path path, const Json& recipe, const std::string& resume) : path_(std::move(path)) {
  if (!given()) return;
  inspect(path_, recipe, resume);  // before anything is made
  made_ = !fs::exists(path_);
  make_folder(path_);
  lock_ = FolderLock(path_);
  found_ = inspect(path_, recipe, resume);  // again: another process may just have finished there
}

RunFolder::~RunFolder() {
  std::error_code ignored;
  if (made_ && holds_nothing(path_)) fs::remove(path_, ignored);
}

Json read_run_json(const fs::path& file) {
  try {
    Json json = read_json(file.string());
    if (json.is_object()) return json;
    throw FileError({file.string(), "a JSON object", json_type(json), "the run's folder is damaged"});
  } catch (const ConfigError& error) {
    throw FileError(error.problem);
  }
}

void write_run_json(const fs::path& file, const Json& json) {
  write_atomically(file, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace vaetl::recipe
