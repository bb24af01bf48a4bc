// Examples that are files, on their way to a dataset: what is known of each, and what is wrong with it. What the
// readers of pictures and of sound do alike.
#pragma once
#include <ATen/ops/empty.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/core/error.hpp"
#include "vaetl/core/parallel.hpp"
#include "vaetl/data/dataset.hpp"
#include "vaetl/data/readers/example_files.hpp"

namespace vaetl::readers {

inline constexpr Part all_parts[] = {Part::train, Part::validation, Part::test};
const char* name_of(Part part);

struct FileItem {
  ExampleFile file = {};
  std::int64_t label = -1;  // −1: it has none
  std::optional<Problem> problem = {};
  std::string sha256 = {};
};
// With what its header says: PictureInfo, SoundInfo.
template <class Info>
struct KnownItem : FileItem {
  Info info = {};
};

template <class Item>
std::vector<Item> items_of(std::vector<ExampleFile> files, const std::vector<std::int64_t>& labels) {
  std::vector<Item> items(files.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].file = std::move(files[i]);
    if (!labels.empty()) items[i].label = labels[i];
  }
  return items;
}

// DataError for what cannot be read.
template <class Use>
void with_bytes(const ExampleFile& file, const Use& use) {
  std::shared_ptr<const std::string> bytes;
  if (auto problem = load_file(file, bytes)) throw DataError(*std::move(problem));
  use(*bytes);
}

// `work` for every item that has no problem yet, on LibTorch's threads; the DataError that it throws becomes the item's
// problem.
template <class Item>
void for_each_item(std::vector<Item>& items, const std::function<void(Item&)>& work) {
  parallel_for(std::ssize(items), [&](std::int64_t i) {
    Item& item = items[static_cast<std::size_t>(i)];
    if (item.problem) return;
    try {
      work(item);
    } catch (const DataError& error) {
      item.problem = error.problem;
    }
  });
}

// Adds the problems in the order of the files, which does not depend on the number of threads, and drops these items.
// DataError where none is left.
template <class Item>
void settle(std::vector<Item>& items, const std::string& where, Skips& skips) {
  for (const Item& item : items) {
    if (item.problem) skips.add(*item.problem);
  }
  std::erase_if(items, [](const Item& item) { return item.problem.has_value(); });
  skips.check_left(std::ssize(items), where);
}

template <class Item>
std::vector<Item> of_part(const std::vector<Item>& items, Part part) {
  std::vector<Item> result;
  std::copy_if(items.begin(), items.end(), std::back_inserter(result),
               [&](const Item& item) { return item.file.part == part; });
  return result;
}

// What the examples of a part are called: their files.
template <class Item>
std::vector<std::string> names_of(const std::vector<Item>& items, Part part) {
  std::vector<std::string> names;
  for (const Item& item : items) {
    if (item.file.part == part) names.push_back(item.file.where);
  }
  return names;
}

template <class Item>
at::Tensor labels_of(const std::vector<Item>& items) {  // int64 (N)
  const at::Tensor labels = at::empty({std::ssize(items)}, at::kLong);
  for (std::size_t i = 0; i < items.size(); ++i) labels.mutable_data_ptr<std::int64_t>()[i] = items[i].label;
  return labels;
}

// The fields of these files, without their labels.
using ReadFiles = std::function<Fields(const std::vector<const ExampleFile*>& files)>;

// One split, whose files are read whenever they are asked for. `info` has the fields that `read` gives; the split's
// checksum is of the lines "NAME SHA-256-OF-THE-FILE\n".
Dataset read_at_gather(const std::vector<FileItem>& items, DatasetInfo info, Part part, bool labelled, ReadFiles read);
template <class Item>
Dataset read_at_gather(const std::vector<Item>& items, DatasetInfo info, Part part, bool labelled, ReadFiles read) {
  const auto own = of_part(items, part);
  return read_at_gather(std::vector<FileItem>(own.begin(), own.end()), std::move(info), part, labelled,
                        std::move(read));
}

}  // namespace vaetl::readers
