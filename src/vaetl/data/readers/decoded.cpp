#include "vaetl/data/readers/decoded.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/readers/file_items.hpp"
#include "vaetl/io/sha256.hpp"

namespace vaetl::readers {
namespace {

using Item = KnownItem<PictureInfo>;

void peek(Item& item) {
  with_bytes(item.file, [&](const std::string& bytes) { item.info = peek_picture(bytes, item.file.where); });
}

void check_bytes(Item& item, const PictureFit& fit, bool decode) {
  with_bytes(item.file, [&](const std::string& bytes) {
    item.sha256 = sha256_hex(bytes);
    if (decode) fit_picture(decode_picture(bytes, item.file.where, {.channels = fit.channels}), fit, item.file.where);
  });
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
  for_each_item<Item>(items, [&](Item& item) {
    if (kind_of(item) == most->first) return;
    with_bytes(item.file,
               [&](const std::string& bytes) { decode_picture(bytes, item.file.where, {.channels = fit.channels}); });
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

at::Tensor room_for(std::int64_t count, const PictureFit& fit) {
  return at::empty({count, fit.channels, fit.size[0], fit.size[1]}, at::kByte);
}

Fields read_pictures(const std::vector<const ExampleFile*>& files, const PictureFit& fit) {
  const at::Tensor images = room_for(std::ssize(files), fit);
  parallel_for(std::ssize(files),
               [&](std::int64_t i) { images[i].copy_(read_picture(*files[static_cast<std::size_t>(i)], fit)); });
  Fields fields;
  fields.set("input", images);
  return fields;
}

// One part after the other in memory; those that cannot be decoded leave their place.
std::map<Part, Fields> decode_all(std::vector<Item>& items, const PictureFit& fit, bool labelled) {
  const at::Tensor images = room_for(static_cast<std::int64_t>(items.size()), fit);
  const Item* first = items.data();
  for_each_item<Item>(items, [&](Item& item) {
    images[&item - first].copy_(read_picture(item.file, fit));
    item.file.bytes.reset();
  });
  std::map<Part, Fields> result;
  for (const Part part : all_parts) {
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

std::uint64_t decoded_bytes(const std::vector<Item>& items, const PictureFit& fit) {
  const auto count = static_cast<std::uint64_t>(
      std::count_if(items.begin(), items.end(), [](const Item& item) { return !item.problem; }));
  return count * static_cast<std::uint64_t>(fit.channels * fit.size[0] * fit.size[1]);
}

}  // namespace

Splits decode_pictures(LabelledFiles found, PictureFit fit, const DecodeOptions& options, DatasetInfo info,
                       const std::string& where, Skips& skips) {
  const bool labelled = !found.labels.empty();
  auto items = items_of<Item>(std::move(found.files), found.labels);
  for_each_item<Item>(items, peek);
  if (std::all_of(items.begin(), items.end(), [](const Item& item) { return item.problem.has_value(); })) {
    settle(items, where, skips);
  }
  doubt_odd_ones(items, fit);
  learn(items, fit, where);
  info.reader.update({{"channels", fit.channels}, {"size", fit.size}, {"resize", fit.resize}});
  if (decoded_bytes(items, fit) <= options.memory) {
    auto fields = decode_all(items, fit, labelled);
    settle(items, where, skips);
    auto split = [&](Part part) {
      return make_split(fields[part], info, name_of(part)).with_names(names_of(items, part));
    };
    return {split(Part::train), split(Part::validation), split(Part::test)};
  }
  for_each_item<Item>(items, [&](Item& item) { check_bytes(item, fit, options.check); });
  settle(items, where, skips);
  info.fields["input"] = {{fit.channels, fit.size[0], fit.size[1]}, at::kByte, 0, 255};
  const auto read = [fit](const auto& files) { return read_pictures(files, fit); };
  auto split = [&](Part part) { return read_at_gather(items, info, part, labelled, read); };
  return {split(Part::train), split(Part::validation), split(Part::test)};
}

}  // namespace vaetl::readers
