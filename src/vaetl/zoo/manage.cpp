#include "vaetl/zoo/manage.hpp"

#include <unistd.h>

#include <set>

#include "vaetl/core/text.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/zoo/search.hpp"
#include "vaetl/zoo/zoo.hpp"

namespace vaetl::zoo {
namespace {

namespace fs = std::filesystem;

bool is_writable(const fs::path& folder) {
  try {
    make_folder(folder);
  } catch (const OutputError&) {
    return false;
  }
  return ::access(folder.c_str(), W_OK | X_OK) == 0;
}

// Whose weights stand on those of the entry; what cannot be read needs nothing.
std::vector<std::string> entries_on(const std::string& name) {
  std::vector<std::string> names;
  for (const Found& found : list()) {
    try {
      const Card card = read_card(found.folder);
      if (card.base && card.base->name == name) names.push_back(found.name);
    } catch (const FileError&) {
      continue;
    }
  }
  return names;
}

void check_free(const std::string& name, const fs::path& folder) {
  const auto needed_by = entries_on(name);
  if (needed_by.empty()) return;
  throw FileError({folder.string(), "an entry that no other one needs", "the base of " + join(needed_by),
                   "remove those first, or use --force"});
}

void check_own(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::equivalent(folder.parent_path(), shipped_zoo(), ignored)) return;
  throw FileError({folder.string(), "an entry of your own", "one that came with vaetl", {}});
}

// An entry is files side by side.
void check_nothing_else(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_directory()) continue;
    throw OutputError({folder.string(), "an entry and nothing else", "the folder " + it->path().filename().string(),
                       "remove it by hand"});
  }
}

}  // namespace

fs::path folder_for(std::string_view name, const std::string& where) {
  std::vector<std::string> tried;
  for (const fs::path& folder : search_path()) {
    if (is_writable(folder)) return folder / name;
    tried.push_back(folder.string());
  }
  throw OutputError({where, "a writable folder of the zoo", "none of " + join(tried), "set VAETL_ZOO"});
}

void check_replaceable(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored) || fs::is_empty(folder, ignored)) return;
  if (fs::is_regular_file(folder / card_file, ignored)) return;
  throw OutputError({folder.string(), "a zoo entry to replace, an empty folder or nothing", "a folder of other things",
                     "choose another folder"});
}

fs::path remove(std::string_view name, bool force) {
  const std::string plain(name.starts_with("zoo:") ? name.substr(4) : name);
  if (!is_entry_name(plain)) {
    throw FileError({"remove " + quote(plain), "the name of a zoo entry", "another text", "see vaetl-zoo list"});
  }
  const fs::path folder = resolve("zoo:" + plain);
  check_own(folder);
  if (!force) check_free(plain, folder);
  check_nothing_else(folder);
  std::error_code error;
  // Out of sight in one step: nobody finds half an entry.
  const fs::path hidden = folder.parent_path() / ("." + plain + fmt::format(".{}.removed", ::getpid()));
  fs::rename(folder, hidden, error);
  if (!error) fs::remove_all(hidden, error);
  if (error) throw OutputError({folder.string(), "to be removed", error.message(), {}});
  return folder;
}

}  // namespace vaetl::zoo
