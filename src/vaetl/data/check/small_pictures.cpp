#include "vaetl/data/check/small_pictures.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/check/near_pictures.hpp"
#include "vaetl/data/digest.hpp"

namespace vaetl::data {
namespace {

constexpr std::int64_t largest_side = 32;
constexpr std::int64_t most_bytes = std::int64_t{1} << 28, bytes_a_part = std::int64_t{1} << 24;

// Averages over equal parts; what is not uint8 takes the whole range in each picture, which no correlation notices.
at::Tensor small_bytes(const at::Tensor& pictures, std::int64_t height, std::int64_t width) {
  const bool bytes = pictures.scalar_type() == at::kByte;
  if (bytes && pictures.size(2) == height && pictures.size(3) == width) return pictures;
  at::Tensor values = at::adaptive_avg_pool2d(pictures.to(at::kFloat), {height, width});
  if (!bytes) {
    values = values.nan_to_num(0, 0, 0);
    const at::Tensor low = values.amin({1, 2, 3}, true), high = values.amax({1, 2, 3}, true);
    values = values.sub(low).mul(255).div(high.sub(low).clamp_min(1e-12));
  }
  return values.round().clamp(0, 255).to(at::kByte);
}

std::vector<Fingerprint> evenly(const std::vector<Fingerprint>& prints, std::int64_t most) {
  const auto all = static_cast<std::int64_t>(prints.size());
  if (all <= most) return prints;
  std::vector<Fingerprint> taken;
  for (std::int64_t i = 0; i < most; ++i) taken.push_back(prints[static_cast<std::size_t>(i * all / most)]);
  return taken;
}

class Shrinker {
 public:
  Shrinker(const std::vector<Dataset>& splits, const FieldInfo& input, std::size_t most)
      : splits_(splits),
        height_(std::min(input.shape[1], largest_side)),
        width_(std::min(input.shape[2], largest_side)) {
    values_ = at::empty({static_cast<std::int64_t>(most), input.shape[0], height_, width_}, at::kByte);
  }

  // Neighbours of one split.
  void add(std::span<const Fingerprint> prints) {
    std::vector<std::int64_t> index;
    for (const Fingerprint& print : prints) index.push_back(print.index);
    const Dataset& data = splits_[static_cast<std::size_t>(prints[0].split)];
    const at::Tensor small = small_bytes(data.gather(at::tensor(index, at::kLong)).input(), height_, width_);
    const at::Tensor flat = small.flatten(1), varied = flat.amin(1).ne(flat.amax(1)).nonzero().squeeze(1);
    const auto before = static_cast<std::int64_t>(result_.of.size());
    values_.narrow(0, before, varied.size(0)).copy_(small.index_select(0, varied));
    for (std::int64_t i = 0; i < varied.size(0); ++i) {
      result_.of.push_back(prints[static_cast<std::size_t>(varied.const_data_ptr<std::int64_t>()[i])]);
    }
  }

  SmallPictures finish() {
    result_.values = values_.narrow(0, 0, static_cast<std::int64_t>(result_.of.size()));
    return std::move(result_);
  }

 private:
  const std::vector<Dataset>& splits_;
  std::int64_t height_, width_;
  at::Tensor values_;
  SmallPictures result_ = {};
};

}  // namespace

SmallPictures small_pictures(const std::vector<Dataset>& splits, const std::vector<Fingerprint>& all,
                             std::int64_t most) {
  const FieldInfo& input = splits[0].info().fields.at("input");
  const std::int64_t height = std::min(input.shape[1], largest_side), width = std::min(input.shape[2], largest_side);
  if (std::min(height, width) < near_least) return {};
  std::vector<Fingerprint> prints = all;
  std::erase_if(prints, [&](const Fingerprint& print) {
    return splits[static_cast<std::size_t>(print.split)].info().fields.at("input").shape != input.shape;
  });
  const auto before = static_cast<std::int64_t>(prints.size());
  prints = evenly(prints, std::min(most, most_bytes / (input.shape[0] * height * width)));
  const auto step = static_cast<std::size_t>(std::max<std::int64_t>(1, bytes_a_part / example_bytes(splits[0].info())));
  Shrinker shrinker(splits, input, prints.size());
  for (std::size_t begin = 0, end = 0; begin < prints.size(); begin = end) {
    for (end = begin + 1; end < prints.size() && end - begin < step && prints[end].split == prints[begin].split;) ++end;
    shrinker.add(std::span(prints).subspan(begin, end - begin));
  }
  SmallPictures result = shrinker.finish();
  result.left = before - static_cast<std::int64_t>(prints.size());
  return result;
}

}  // namespace vaetl::data
