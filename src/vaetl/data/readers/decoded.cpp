#include "vaetl/data/readers/decoded.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/parallel.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::readers {
namespace {

constexpr Part parts[] = {Part::train, Part::validation, Part::test};

const char* name_of(Part part) {
  return part == Part::train ? "train" : part == Part::validation ? "validation" : "test";
}

struct Item {
  ExampleFile file = {};
  std::int64_t label = -1;
  PictureInfo info = {};
  std::optional<Problem> problem = {};
  std::string sha256 = {};
};

// `work` for every item that has no problem yet; what it throws becomes the item's problem.
void for_each(std::vector<Item>& items, const std::function<void(Item&)>& work) {
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

void peek(Item& item) {
  std::shared_ptr<const std::string> bytes;
  if (auto problem = load_file(item.file, bytes)) throw DataError(*std::move(problem));
  item.info = peek_picture(*bytes, item.file.where);
}

void check_bytes(Item& item, const PictureFit& fit, bool decode) {
  std::shared_ptr<const std::string> bytes;
  if (auto problem = load_file(item.file, bytes)) throw DataError(*std::move(problem));
  item.sha256 = sha256_hex(*bytes);
  if (decode) fit_picture(decode_picture(*bytes, item.file.where, {.channels = fit.channels}), fit, item.file.where);
}

// The training part, or everything where there is none.
std::vector<const Item*> teachers(const std::vector<Item>& items) {
  std::vector<const Item*> train, all;
  for (const Item& item : items) {
    if (item.problem) continue;
    all.push_back(&item);
    if (item.file.part == Part::train) train.push_back(&item);
  }
  return train.empty() ? all : train;
}

std::int64_t common_channels(const std::vector<const Item*>& items) {
  std::set<std::int64_t> kinds;
  for (const Item* item : items) kinds.insert(item->info.channels);
  return kinds.size() == 1 ? *kinds.begin() : 3;
}

Extent extent_of(const Item& item, const PictureFit& fit) {
  return fitted_extent({item.info.height, item.info.width}, fit);
}

void check_extents(const std::vector<Item>& items, const PictureFit& fit, const Extent& all, const std::string& where) {
  for (const Item& item : items) {
    if (item.problem) continue;
    const Extent own = extent_of(item, fit);
    if (own == all) continue;
    throw DataError(
        {where, "images of one size",
         fmt::format("{}×{} and {}×{} ({})", all.width, all.height, own.width, own.height, quote(item.file.where)),
         "add size=[224,224], say"});
  }
}

// A header alone must not decide for the others: where pictures differ in what is to be learnt, those unlike the most
// are decoded first, which finds the damaged ones.
void doubt_odd_ones(std::vector<Item>& items, const PictureFit& fit) {
  using Kind = std::tuple<std::int64_t, std::int64_t, std::int64_t>;
  const auto kind_of = [&](const Item& item) {
    const bool any_size = !fit.size.empty(), any_channels = fit.channels != 0;
    return Kind{any_channels ? 0 : item.info.channels, any_size ? 0 : item.info.height, any_size ? 0 : item.info.width};
  };
  std::map<Kind, std::int64_t> counts;
  for (const Item& item : items) {
    if (!item.problem) ++counts[kind_of(item)];
  }
  if (counts.size() < 2) return;
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) { return a.second < b.second; });
  for_each(items, [&](Item& item) {
    if (kind_of(item) == most->first) return;
    std::shared_ptr<const std::string> bytes;
    if (auto problem = load_file(item.file, bytes)) throw DataError(*std::move(problem));
    decode_picture(*bytes, item.file.where, {.channels = fit.channels});
  });
}

void learn(const std::vector<Item>& items, PictureFit& fit, const std::string& where) {
  const auto teaching = teachers(items);
  if (fit.channels == 0) fit.channels = common_channels(teaching);
  if (!fit.size.empty()) return;
  const Extent size = extent_of(*teaching[0], fit);
  check_extents(items, fit, size, where);
  fit.size = {size.height, size.width};
  fit.resize = 0;  // covering that size is the same
}

// Adds the problems in the order of the files and drops these.
void settle(std::vector<Item>& items, const std::string& where, Skips& skips) {
  for (const Item& item : items) {
    if (item.problem) skips.add(*item.problem);
  }
  std::erase_if(items, [](const Item& item) { return item.problem.has_value(); });
  skips.check_left(static_cast<std::int64_t>(items.size()), where);
}

std::vector<Item> of_part(const std::vector<Item>& items, Part part) {
  std::vector<Item> result;
  std::copy_if(items.begin(), items.end(), std::back_inserter(result),
               [&](const Item& item) { return item.file.part == part; });
  return result;
}

at::Tensor labels_of(const std::vector<Item>& items) {
  at::Tensor labels = at::empty({static_cast<std::int64_t>(items.size())}, at::kLong);
  for (std::size_t i = 0; i < items.size(); ++i) labels.mutable_data_ptr<std::int64_t>()[i] = items[i].label;
  return labels;
}

at::Tensor room_for(std::int64_t count, const PictureFit& fit) {
  return at::empty({count, fit.channels, fit.size[0], fit.size[1]}, at::kByte);
}

class PictureSource final : public Source {
 public:
  PictureSource(std::vector<ExampleFile> files, at::Tensor labels, PictureFit fit, DatasetInfo info)
      : files_(std::move(files)), labels_(std::move(labels)), fit_(std::move(fit)), info_(std::move(info)) {}
  const DatasetInfo& info() const override { return info_; }
  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }
  bool decodes() const override { return true; }

  Fields gather(const at::Tensor& index) const override {
    const at::Tensor images = room_for(index.size(0), fit_);
    const at::Tensor own = index.contiguous();
    const auto* positions = own.const_data_ptr<std::int64_t>();
    parallel_for(index.size(0), [&](std::int64_t i) {
      images[i].copy_(read_picture(files_[static_cast<std::size_t>(positions[i])], fit_));
    });
    Fields fields;
    fields.set("input", images);
    if (labels_.defined()) fields.set("target", labels_.index_select(0, own));
    return fields;
  }

  at::Tensor column(const std::string& field) const override {
    return field == "target" && labels_.defined() ? labels_ : Source::column(field);
  }

 private:
  std::vector<ExampleFile> files_;
  at::Tensor labels_;
  PictureFit fit_;
  DatasetInfo info_;
};

// One part after the other in memory; those that cannot be decoded leave their place.
std::map<Part, Fields> decode_all(std::vector<Item>& items, const PictureFit& fit, bool labelled) {
  const at::Tensor images = room_for(static_cast<std::int64_t>(items.size()), fit);
  const Item* first = items.data();
  for_each(items, [&](Item& item) {
    images[&item - first].copy_(read_picture(item.file, fit));
    item.file.bytes.reset();
  });
  std::map<Part, Fields> result;
  for (const Part part : parts) {
    std::vector<std::int64_t> chosen;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (!items[i].problem && items[i].file.part == part) chosen.push_back(static_cast<std::int64_t>(i));
    }
    const auto count = static_cast<std::int64_t>(chosen.size());
    const bool whole = count > 0 && chosen.back() - chosen.front() + 1 == count;
    result[part].set("input", whole ? images.narrow(0, chosen.front(), count)
                                    : images.index_select(0, at::tensor(chosen, at::kLong)));
    if (labelled) result[part].set("target", labels_of(items).index_select(0, at::tensor(chosen, at::kLong)));
  }
  return result;
}

DatasetInfo described(DatasetInfo info, const std::vector<Item>& items, const PictureFit& fit, Part part,
                      bool labelled) {
  info.split = name_of(part);
  info.fields["input"] = {{fit.channels, fit.size[0], fit.size[1]}, at::kByte, 0, 255};
  if (labelled) {
    info.fields["target"] = {{}, at::kLong, 0, static_cast<double>(info.classes.size()) - 1};
  } else {
    info.classes.clear();
  }
  std::string lines;
  for (const Item& item : items) {
    lines += fmt::format("{} {}\n", std::filesystem::path(item.file.where).filename().string(), item.sha256);
  }
  if (!items.empty()) info.sha256 = sha256_hex(lines);
  return info;
}

Dataset lazy_split(const std::vector<Item>& items, const PictureFit& fit, const DatasetInfo& info, Part part,
                   bool labelled) {
  std::vector<ExampleFile> files;
  for (const Item& item : items) files.push_back(item.file);
  return Dataset(std::make_shared<PictureSource>(std::move(files), labelled ? labels_of(items) : at::Tensor(), fit,
                                                 described(info, items, fit, part, labelled)));
}

std::uint64_t decoded_bytes(const std::vector<Item>& items, const PictureFit& fit) {
  const auto count = static_cast<std::uint64_t>(
      std::count_if(items.begin(), items.end(), [](const Item& item) { return !item.problem; }));
  return count * static_cast<std::uint64_t>(fit.channels * fit.size[0] * fit.size[1]);
}

}  // namespace

Splits decode_pictures(LabelledFiles found, PictureFit fit, const DecodeOptions& options, DatasetInfo info,
                       const std::string& where, Skips& skips) {
  const bool labelled = !found.labels.empty();
  std::vector<Item> items;
  for (std::size_t i = 0; i < found.files.size(); ++i) {
    items.push_back({.file = std::move(found.files[i]), .label = labelled ? found.labels[i] : -1});
  }
  for_each(items, peek);
  if (std::all_of(items.begin(), items.end(), [](const Item& item) { return item.problem.has_value(); })) {
    settle(items, where, skips);
  }
  doubt_odd_ones(items, fit);
  learn(items, fit, where);
  info.reader.update({{"channels", fit.channels}, {"size", fit.size}, {"resize", fit.resize}});
  if (decoded_bytes(items, fit) <= options.memory) {
    auto fields = decode_all(items, fit, labelled);
    settle(items, where, skips);
    return {make_split(fields[Part::train], info, "train"), make_split(fields[Part::validation], info, "validation"),
            make_split(fields[Part::test], info, "test")};
  }
  for_each(items, [&](Item& item) { check_bytes(item, fit, options.check); });
  settle(items, where, skips);
  auto split = [&](Part part) { return lazy_split(of_part(items, part), fit, info, part, labelled); };
  return {split(Part::train), split(Part::validation), split(Part::test)};
}

}  // namespace vaetl::readers
