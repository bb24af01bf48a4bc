#include "vaetl/data/readers/labelled_files.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/text_values.hpp"

namespace vaetl::readers {
namespace {

namespace fs = std::filesystem;

bool has_part(const FileListing& listing, Part part) {
  return std::any_of(listing.files.begin(), listing.files.end(), [&](const auto& file) { return file.part == part; });
}

// Puts the files of `extra` behind as the test split: its own test split where it has one, else all.
void append_test(FileListing& listing, FileListing extra) {
  const bool parts = has_part(extra, Part::test);
  for (auto& file : extra.files) {
    if (parts && file.part != Part::test) continue;
    file.part = Part::test;
    listing.files.push_back(std::move(file));
  }
}

// Part by part all files have a label, or none has; the parts agree.
bool check_labelled(const FileListing& listing, const fs::path& path) {
  const auto labelled = std::count_if(listing.files.begin(), listing.files.end(), [](auto& f) { return !!f.label; });
  if (labelled == 0 || labelled == std::ssize(listing.files)) return labelled > 0;
  const auto bare = std::find_if(listing.files.begin(), listing.files.end(), [](const auto& f) { return !f.label; });
  throw DataError({path.string(), "classes for the training and the test files alike",
                   fmt::format("none for {}", quote(bare->where)),
                   "put the files of each split into a folder for each class"});
}

// Of the training data, or of everything where there are none.
std::vector<std::string> class_names(const FileListing& listing) {
  const bool train = has_part(listing, Part::train);
  std::vector<std::string> names;
  for (const auto& file : listing.files) {
    if (!train || file.part == Part::train) names.push_back(*file.label);
  }
  if (listing.list) return sorted_names(std::move(names));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// The labels as numbers. Files of a class that is not known are left out.
std::vector<std::int64_t> numbered(FileListing& listing, const std::vector<std::string>& classes, Skips& skips) {
  const Labels labels(classes);
  const std::vector<std::string> some(classes.begin(),
                                      classes.begin() + std::min<std::ptrdiff_t>(std::ssize(classes), 8));
  const std::string expected = fmt::format("the classes {}{}", join(some), classes.size() > 8 ? ", …" : "");
  std::vector<std::int64_t> result;
  std::erase_if(listing.files, [&](const ExampleFile& file) {
    const auto found = labels.find(*file.label);
    if (found) result.push_back(*found);
    if (!found) skips.add({file.where, expected, quote(*file.label), did_you_mean(*file.label, classes)});
    return !found;
  });
  return result;
}

// A share of the files becomes the test split before anything is learnt from what is left.
void hold_out_test(LabelledFiles& found, double share) {
  Fields fields;
  fields.set("input", at::arange(std::ssize(found.files), at::kLong));
  if (!found.labels.empty()) fields.set("target", at::tensor(found.labels, at::kLong));
  const at::Tensor held = hold_out(Dataset::from_tensors(fields), share, /*seed=*/0).held.column("input");
  for (std::int64_t i = 0; i < held.size(0); ++i) {
    found.files[static_cast<std::size_t>(held[i].item<std::int64_t>())].part = Part::test;
  }
}

FileListing list_all(const fs::path& path, FileSearch search, const std::string& given, double test_share,
                     const char* kind, const Reading& reading, Skips& skips) {
  std::error_code ignored;
  const fs::path base = fs::is_directory(path, ignored) ? path : path.parent_path();
  const fs::path test = given.empty() ? fs::path() : base / given;
  search.except = test;
  FileListing listing = list_files(path, search, reading, skips);
  if (has_part(listing, Part::test) && (!test.empty() || test_share > 0)) {
    throw ConfigError({fmt::format("{}.{}", kind, test.empty() ? "test_share" : "test"),
                       "nothing: " + quote(path.string()) + " has a test split of its own",
                       test.empty() ? fmt::format("{}", test_share) : quote(given),
                       {}});
  }
  if (test.empty()) return listing;
  search.except.clear();
  append_test(listing, list_files(test, search, reading, skips));
  return listing;
}

}  // namespace

LabelledFiles find_labelled_files(const fs::path& path, FileSearch search, const std::string& test, double test_share,
                                  const char* kind, const Reading& reading, Skips& skips) {
  FileListing listing = list_all(path, search, test, test_share, kind, reading, skips);
  skips.check_left(std::ssize(listing.files), path.string());
  LabelledFiles result;
  if (check_labelled(listing, path)) {
    result.classes = search.classes.empty() ? class_names(listing) : search.classes;
    result.labels = numbered(listing, result.classes, skips);
    skips.check_left(std::ssize(listing.files), path.string());
  }
  result.files = std::move(listing.files);
  if (test_share > 0) hold_out_test(result, test_share);
  return result;
}

}  // namespace vaetl::readers
