#include "vaetl/data/readers/example_files.hpp"

#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/file_list.hpp"
#include "vaetl/io/archive.hpp"
#include "vaetl/io/descriptor.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_example_file = std::size_t{1} << 28;

// What a tree of names holds before the layout is known.
struct Tree {
  std::vector<std::string> names = {}, folders = {};  // relative; files[i] is called names[i]
  std::vector<ExampleFile> files = {};
  std::map<std::string, std::int64_t> others = {};      // extension → how many files
  std::map<std::string, std::int64_t> companions = {};  // likewise, of what usually lies beside examples
};

std::string extension_of(const std::string& name) {
  std::string extension = fs::path(name).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension;
}

bool is_hidden(const std::string& name) {
  return name.starts_with('.') || name.find("/.") != std::string::npos || name.starts_with("__MACOSX");
}

// What people and systems lay beside examples: it is no example, and nobody wants to hear of it.
bool is_companion(const std::string& name, const std::string& extension) {
  std::string base = fs::path(name).filename().string();
  std::transform(base.begin(), base.end(), base.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const char* usual : {"readme", "license", "licence", "copying", "thumbs.db", "desktop.ini"}) {
    if (base.starts_with(usual)) return true;
  }
  return extension == ".txt" || extension == ".md" || extension == ".json";
}

// Whether a file of that name is to be read; others are counted, examples of other formats reported.
bool wanted(const std::string& name, const std::string& where, const FileKind& kind, Tree& tree, Skips& skips) {
  const std::string extension = extension_of(name);
  if (kind.read.contains(extension)) return true;
  if (kind.others.contains(extension)) {
    skips.add({where, kind.one, "a file " + quote("*" + extension), "convert it"});
  } else {
    ++(is_companion(name, extension) ? tree.companions : tree.others)[extension.empty() ? "no extension" : extension];
  }
  return false;
}

// Walks a folder. Links to files are followed within the root, links to folders never.
class Walk {
 public:
  Walk(const fs::path& root, const FileSearch& search, Tree& tree, Skips& skips)
      : root_(root), search_(search), tree_(tree), skips_(skips) {
    std::error_code ignored;
    real_root_ = fs::canonical(root, ignored);
  }

  void folder(const std::string& name) {
    std::error_code error;
    std::vector<std::string> children;
    for (fs::directory_iterator it(at(name), error), end; !error && it != end; it.increment(error)) {
      children.push_back(it->path().filename().string());
    }
    if (error) skips_.add({at(name).string(), "a folder that can be read", quote(error.message()), {}});
    std::sort(children.begin(), children.end());
    for (const auto& child : children) {
      if (!is_hidden(child)) entry(name.empty() ? child : name + "/" + child);
    }
  }

 private:
  fs::path at(const std::string& name) const { return name.empty() ? root_ : root_ / name; }

  void entry(const std::string& name) {
    const fs::path path = at(name);
    std::error_code ignored;
    if (!search_.except.empty() && fs::equivalent(path, search_.except, ignored)) return;
    const bool link = fs::is_symlink(path, ignored);
    if (fs::is_directory(path, ignored)) {
      if (link) return skips_.add({path.string(), "a folder of its own", "a link to one", "copy it here"});
      tree_.folders.push_back(name);
      return folder(name);
    }
    if (!wanted(name, path.string(), search_.kind, tree_, skips_)) return;
    if (link && !is_inside(path, real_root_)) {
      return skips_.add({path.string(), "a file within " + quote(root_.string()), "a link that leads out of it", {}});
    }
    tree_.names.push_back(name);
    tree_.files.push_back({.where = path.string(), .path = path});
  }

  fs::path root_, real_root_;
  const FileSearch& search_;
  Tree& tree_;
  Skips& skips_;
};

void add_member(ArchiveReader& archive, const ArchiveMember& member, const std::string& where, const FileKind& kind,
                Tree& tree, Skips& skips) {
  if (!wanted(member.name, where, kind, tree, skips)) return;
  if (!member.flaw.empty()) return skips.add({where, "a file that can be read", member.flaw, {}});
  auto bytes = std::make_shared<std::string>();
  if (auto problem = archive.read(*bytes)) return skips.add(*std::move(problem));
  tree.names.push_back(member.name);
  tree.files.push_back({.where = where, .bytes = std::move(bytes)});
}

Tree read_archive(const fs::path& path, const FileSearch& search, Skips& skips) {
  Tree tree;
  ArchiveReader archive(path, {.member_bytes = largest_example_file, .total_bytes = search.memory});
  for (ArchiveMember member; archive.next(member);) {
    if (is_hidden(member.name)) continue;
    if (member.folder) {
      tree.folders.push_back(member.name);
    } else {
      add_member(archive, member, path.string() + ":" + member.name, search.kind, tree, skips);
    }
  }
  return tree;
}

std::string others_text(const std::map<std::string, std::int64_t>& others) {
  std::int64_t count = 0;
  std::vector<std::string> kinds;
  for (const auto& [extension, files] : others) {
    count += files;
    if (kinds.size() < 8) kinds.push_back(extension);
  }
  return fmt::format("{} other {} ({})", count, count == 1 ? "file" : "files", join(kinds));
}

void order(std::vector<ExampleFile>& files) {
  std::stable_sort(files.begin(), files.end(), [](const ExampleFile& a, const ExampleFile& b) {
    return std::tie(a.part, a.label, a.where) < std::tie(b.part, b.label, b.where);
  });
}

std::vector<ExampleFile> arranged(Tree tree, const fs::path& path, const FileSearch& search, const Reading& reading,
                                  Skips& skips) {
  const FileLayout layout = lay_out(tree.names, tree.folders, search.classes);
  std::vector<ExampleFile> files;
  for (std::size_t i = 0; i < tree.files.size(); ++i) {
    const Placed& placed = layout.files[i];
    tree.files[i].part = placed.part;
    tree.files[i].label = placed.label;
    if (placed.flaw.empty()) {
      files.push_back(std::move(tree.files[i]));
    } else {
      skips.add({tree.files[i].where, "a file within a class folder", placed.flaw, "move it"});
    }
  }
  for (const auto& folder : layout.barren) {
    skips.add({path.string(), "files in the class folder " + quote(folder), "none", "fill or remove it"});
  }
  if (files.empty() && skips.count() == 0) {
    auto all = tree.others;
    for (const auto& [extension, count] : tree.companions) all[extension] += count;
    throw DataError({path.string(), search.kind.all, all.empty() ? "none" : "only " + others_text(all), {}});
  }
  if (!tree.others.empty() && reading.skipped) {
    reading.skipped({path.string(), search.kind.all, others_text(tree.others), "ignored"});
  }
  order(files);
  return files;
}

}  // namespace

FileListing list_files(const fs::path& path, const FileSearch& search, const Reading& reading, Skips& skips) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw DataError(
        {path.string(), "a folder or an archive of files, or a CSV list", "nothing there", "check the path"});
  }
  if (fs::is_directory(path, ignored)) {
    Tree tree;
    Walk(path, search, tree, skips).folder("");
    return {arranged(std::move(tree), path, search, reading, skips), false};
  }
  if (is_file_list(path)) return {read_file_list(path, search, skips), true};
  if (search.kind.read.contains(extension_of(path.string()))) return {{{.where = path.string(), .path = path}}, false};
  return {arranged(read_archive(path, search, skips), path, search, reading, skips), false};
}

FilesBelow files_below(const fs::path& folder, const FileKind& kind, Skips& skips) {
  Tree tree;
  const FileSearch search{.kind = kind};
  Walk(folder, search, tree, skips).folder("");
  std::sort(tree.files.begin(), tree.files.end(), [](const auto& a, const auto& b) { return a.where < b.where; });
  return {std::move(tree.files), tree.others.empty() ? std::string() : others_text(tree.others)};
}

std::optional<Problem> load_file(const ExampleFile& file, std::shared_ptr<const std::string>& bytes) {
  if (file.bytes) {
    bytes = file.bytes;
    return std::nullopt;
  }
  auto own = std::make_shared<std::string>();
  auto problem = slurp(file.path, largest_example_file, *own);
  bytes = std::move(own);
  return problem;
}

}  // namespace vaetl::readers
