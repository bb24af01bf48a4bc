// Where examples that are files stand, pictures or sounds: in a folder, in an archive (read without unpacking), in a
// CSV list of names and labels, or one file alone.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "vaetl/data/reader.hpp"
#include "vaetl/data/readers/file_layout.hpp"

namespace vaetl::readers {

struct ExampleFile {
  std::string where = {};                              // what problems call it
  std::filesystem::path path = {};                     // of a file
  std::shared_ptr<const std::string> bytes = nullptr;  // of a member of an archive, instead
  Part part = Part::train;
  std::optional<std::string> label = {};
};

// Which files are read, by their extensions in lower case; without more, pictures.
struct FileKind {
  std::string one = "a PNG or JPEG picture", all = "pictures (.png, .jpg, .jpeg)";
  std::set<std::string> read = {".png", ".jpg", ".jpeg", ".jpe", ".jfif"};
  std::set<std::string> others = {".gif",  ".bmp",  ".webp", ".tif", ".tiff", ".heic",
                                  ".heif", ".avif", ".ppm",  ".pgm", ".jp2",  ".jxl"};  // reported, not only counted
};

struct FileSearch {
  std::vector<std::string> classes = {};          // known beforehand
  std::string files = {}, target = {};            // columns of a CSV list
  std::uint64_t memory = std::uint64_t{1} << 31;  // bytes that an archive may unpack to
  std::filesystem::path except = {};              // a path below that is not looked at; may be empty
  FileKind kind = {};
};

struct FileListing {
  std::vector<ExampleFile> files = {};  // by part, label and name
  bool list = false;                    // labels are a column's values rather than names of folders
};

// Left out through `skips`: empty class folders, links that lead out, what cannot be opened, files of formats that are
// not read, names in a list that lead out of its folder. Other files are ignored; one note through `reading.skipped`
// counts them. Hidden ones are not even counted, nor is what usually lies beside examples: README, LICENSE, *.txt,
// *.md,
// *.json, Thumbs.db. DataError: nothing there, neither a folder nor an
// archive, a list without the columns.
FileListing list_files(const std::filesystem::path& path, const FileSearch& search, const Reading& reading,
                       Skips& skips);

// All of a kind in a folder and below, sorted by name, whatever the folders mean. Left out through `skips`: links that
// lead out, folders that cannot be opened, files of formats that are not read. `others` says what else lies there;
// empty: nothing.
struct FilesBelow {
  std::vector<ExampleFile> files = {};
  std::string others = {};
};
FilesBelow files_below(const std::filesystem::path& folder, const FileKind& kind, Skips& skips);

// The bytes of one, or what is wrong with it.
std::optional<Problem> load_file(const ExampleFile& file, std::shared_ptr<const std::string>& bytes);

}  // namespace vaetl::readers
