#include "vaetl/data/readers/file_layout.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace vaetl::readers {
namespace {

using Names = std::vector<std::string>;

std::string first_of(std::string_view path) { return std::string(path.substr(0, path.find('/'))); }

// "" where nothing follows.
std::string rest_of(std::string_view path) {
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(slash + 1));
}

bool is_flat(std::string_view path) { return path.find('/') == std::string_view::npos; }

std::optional<Part> part_named(const std::string& folder) {
  if (folder == "train") return Part::train;
  if (folder == "test") return Part::test;
  if (folder == "val" || folder == "valid" || folder == "validation") return Part::validation;
  return std::nullopt;
}

std::set<std::string> tops(const Names& names, const Names& folders) {
  std::set<std::string> result;
  for (const Names* paths : {&names, &folders}) {
    for (const auto& path : *paths) result.insert(first_of(path));
  }
  return result;
}

void strip(Names& paths) {
  for (auto& path : paths) path = rest_of(path);
}

// Drops folders around everything.
void look_through(Names& names, Names& folders, const Names& classes) {
  while (!names.empty() && std::none_of(names.begin(), names.end(), is_flat)) {
    const auto outer = tops(names, folders);
    if (outer.size() != 1 || part_named(*outer.begin())) return;
    if (std::find(classes.begin(), classes.end(), *outer.begin()) != classes.end()) return;
    strip(names);
    strip(folders);
    std::erase(folders, "");
  }
}

// Whether the outermost folders are splits: `train` is among them, or there is nothing else.
bool has_parts(const Names& names, const Names& folders) {
  Names deep = names;
  std::erase_if(deep, is_flat);
  const auto outer = tops(deep, folders);
  if (outer.contains("train")) return true;
  return !outer.empty() && deep.size() == names.size() &&
         std::all_of(outer.begin(), outer.end(), [](const auto& name) { return part_named(name).has_value(); });
}

Placed place(const std::string& name, bool parts) {
  Placed placed;
  std::string inner = name;
  if (parts) {
    const auto part = part_named(first_of(name));
    if (!part) return {Part::train, std::nullopt, "a file beside the folders train and test"};
    placed.part = *part;
    inner = rest_of(name);
  }
  if (!is_flat(inner)) placed.label = first_of(inner);
  return placed;
}

// In a part with class folders, what lies beside them belongs to none.
void mark_unlabelled(std::vector<Placed>& files) {
  for (const Part part : {Part::train, Part::validation, Part::test}) {
    auto labelled = [&](const Placed& p) { return p.part == part && p.flaw.empty() && p.label; };
    if (std::none_of(files.begin(), files.end(), labelled)) continue;
    for (auto& p : files) {
      if (p.part == part && p.flaw.empty() && !p.label) p.flaw = "a file beside the class folders";
    }
  }
}

// Class folders are those that a file's name would make one.
Names barren_of(const Names& names, const Names& folders, bool parts) {
  std::set<std::string> full, all;
  auto class_of = [&](const std::string& path) {
    if (!parts) return first_of(path);
    const auto inner = rest_of(path);
    return inner.empty() || !part_named(first_of(path)) ? std::string() : first_of(path) + "/" + first_of(inner);
  };
  for (const auto& folder : folders) all.insert(class_of(folder));
  for (const auto& name : names) full.insert(class_of(name));
  all.erase("");
  Names result;
  std::set_difference(all.begin(), all.end(), full.begin(), full.end(), std::back_inserter(result));
  return result;
}

}  // namespace

FileLayout lay_out(const Names& all_names, const Names& all_folders, const Names& classes) {
  Names names = all_names, folders = all_folders;
  look_through(names, folders, classes);
  const bool parts = has_parts(names, folders);
  FileLayout layout;
  for (const auto& name : names) layout.files.push_back(place(name, parts));
  mark_unlabelled(layout.files);
  const auto outer = tops(names, folders);
  if (parts && !outer.contains("test")) {
    for (auto& p : layout.files) p.part = p.part == Part::validation ? Part::test : p.part;
  }
  const bool any_label = std::any_of(layout.files.begin(), layout.files.end(), [](const auto& p) { return p.label; });
  if (any_label) layout.barren = barren_of(names, folders, parts);
  return layout;
}

}  // namespace vaetl::readers
