#include "vaetl/data/further.hpp"

#include <ATen/ATen.h>

#include "vaetl/data/one_thread.hpp"
#include "vaetl/data/open.hpp"
#include "vaetl/io/npy.hpp"

namespace vaetl {
namespace {

class FurtherOfDataset final : public FurtherStream {
 public:
  FurtherOfDataset(std::vector<Dataset> parts, Place place, std::vector<std::string> names,
                   std::vector<Problem> left_out)
      : parts_(std::move(parts)), place_(std::move(place)), names_(std::move(names)), left_out_(std::move(left_out)) {}

  bool next(std::int64_t count, FurtherExamples& examples) override {
    examples = {};
    examples.problems = std::exchange(left_out_, {});
    while (part_ < parts_.size() && at_ == parts_[part_].size()) ++part_, at_ = 0;
    if (part_ == parts_.size()) return !examples.problems.empty();
    const Dataset& data = parts_[part_];
    const std::int64_t size = std::min(count, data.size() - at_);
    std::optional<OneThread> alone;
    if (!data.decodes()) alone.emplace();
    examples.fields = data.gather(at::arange(at_, at_ + size, at::kLong));
    for (std::int64_t i = at_; i < at_ + size; ++i) examples.names.push_back(next_name(data, i));
    at_ += size;
    return true;
  }

 private:
  std::string next_name(const Dataset& data, std::int64_t i) {
    const std::int64_t number = number_++;
    if (!names_.empty()) return names_[static_cast<std::size_t>(number)];
    return data.named() ? data.name(i) : place_.row_name(number + 1);
  }

  std::vector<Dataset> parts_;
  Place place_;
  std::vector<std::string> names_;
  std::vector<Problem> left_out_;
  std::size_t part_ = 0;
  std::int64_t at_ = 0, number_ = 0;
};

// Leaves out examples with values that are not finite.
class FurtherFinite final : public FurtherStream {
 public:
  FurtherFinite(std::unique_ptr<FurtherStream> all, std::string where)
      : all_(std::move(all)), where_(std::move(where)) {}

  bool next(std::int64_t count, FurtherExamples& examples) override {
    if (!all_->next(count, examples)) return false;
    const at::Tensor& input = examples.fields.input();
    if (!at::isFloatingType(input.scalar_type())) return true;
    const at::Tensor finite = input.isfinite().flatten(1).all(1);
    if (!finite.all().item<bool>()) drop(examples, finite);
    return true;
  }

 private:
  void drop(FurtherExamples& examples, const at::Tensor& finite) const {
    for (const std::string& name : keep_rows(examples.names, finite)) {
      examples.problems.push_back({where_ + ": row " + name, "finite values", "others", {}});
    }
    Fields fields;
    const at::Tensor rows = finite.nonzero().squeeze(1);
    for (const auto& [key, values] : examples.fields) fields.set(key, values.index_select(0, rows));
    examples.fields = std::move(fields);
  }

  std::unique_ptr<FurtherStream> all_;
  std::string where_;
};

std::vector<std::int64_t> without_ones(at::IntArrayRef sizes) {
  std::vector<std::int64_t> rest;
  std::copy_if(sizes.begin(), sizes.end(), std::back_inserter(rest), [](std::int64_t size) { return size != 1; });
  return rest;
}

// (N, 28, 28) is what a model of (1, 28, 28) reads.
at::Tensor with_axes(const at::Tensor& array, const std::vector<std::int64_t>& shape) {
  if (array.dim() == 0) return array.reshape({1, 1});
  const auto own = array.sizes().slice(1);
  if (shape_fits(shape, own) || without_ones(own) != without_ones(shape)) return array;
  std::vector<std::int64_t> sizes = {array.size(0)};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return array.reshape(sizes);
}

std::vector<Dataset> parts_of(const Place& place, const std::vector<std::int64_t>& shape) {
  if (place.path.extension() == ".npy") {
    Fields fields;
    fields.set("input", with_axes(read_npy(place.path), shape));
    return {Dataset::from_tensors(std::move(fields), {.name = place.name()})};
  }
  const Splits splits = data::open(data::Reference{.name = "packed", .path = place.path.string()});
  return {splits.train, splits.validation, splits.test};
}

}  // namespace

std::vector<std::string> keep_rows(std::vector<std::string>& names, const at::Tensor& kept) {
  std::vector<std::string> left, others;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool stays = kept[static_cast<std::int64_t>(i)].item<bool>();
    (stays ? left : others).push_back(std::move(names[i]));
  }
  names = std::move(left);
  return others;
}

std::unique_ptr<FurtherStream> further_of(const Dataset& data, const Place& place, std::vector<std::string> names,
                                          std::vector<Problem> left_out) {
  return std::make_unique<FurtherOfDataset>(std::vector<Dataset>{data}, place, std::move(names), std::move(left_out));
}

std::unique_ptr<FurtherStream> further_arrays(const Place& place, const std::vector<std::int64_t>& shape) {
  auto all = std::make_unique<FurtherOfDataset>(parts_of(place, shape), place, std::vector<std::string>(),
                                                std::vector<Problem>());
  return std::make_unique<FurtherFinite>(std::move(all), place.name());
}

bool holds_arrays(const std::filesystem::path& file) {
  return file.extension() == ".npy" || file.extension() == ".safetensors";
}

}  // namespace vaetl
