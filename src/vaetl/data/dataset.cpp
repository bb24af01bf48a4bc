#include "vaetl/data/dataset.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <span>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/sources.hpp"

namespace vaetl {
namespace {

std::string name_of(const DatasetInfo& info) { return info.name.empty() ? "dataset" : info.name; }

bool holds_labels(const FieldInfo& field) { return field.dtype == at::kLong && field.shape.empty(); }

std::string text_of(const at::Tensor& values) {
  return fmt::format("{} {}", shape_text(values.sizes().vec()), dtype_name(values.scalar_type()));
}

// The tensor as it is stored: no gradient, one of our types, labels as int64.
at::Tensor stored(const std::string& where, const std::string& key, const at::Tensor& values) {
  auto refuse = [&](const char* expected, std::string found) {
    throw DataError({where, fmt::format("{} as field {}", expected, quote(key)), std::move(found), {}});
  };
  if (!values.defined()) refuse("a tensor", "none");
  if (values.dim() == 0) refuse("a tensor with a first dimension N", "a single value");
  if (values.layout() != at::kStrided) refuse("a dense tensor", "a sparse one");
  if (dtype_name(values.scalar_type()) == "unsupported")
    refuse("numbers of a known type", values.dtype().name().data());
  const bool labels = key == "target" && values.dim() == 1 && at::isIntegralType(values.scalar_type(), true);
  return labels ? values.detach().to(at::kLong) : values.detach();
}

constexpr std::int64_t most_classes = std::int64_t{1} << 20;  // a label beyond is no label, and a table of them no help

// Sets the range of labels, 0 … K−1, after checking that they lie in it.
void check_labels(const DatasetInfo& info, const at::Tensor& labels, FieldInfo& field) {
  const auto named = static_cast<std::int64_t>(info.classes.size());
  const bool any = labels.numel() > 0;
  const auto low = any ? labels.min().item<std::int64_t>() : 0;
  const auto high = any ? labels.max().item<std::int64_t>() : named - 1;
  const std::int64_t last = (named > 0 ? named : most_classes) - 1;
  if (low < 0 || high > last) {
    throw DataError({name_of(info), fmt::format("labels in 0 … {}", last),
                     fmt::format("the label {}", low < 0 ? low : high),
                     named > 0 ? "name every class, or mend the labels" : "number the classes from 0"});
  }
  field.low = 0;
  field.high = static_cast<double>(named > 0 ? named - 1 : high);
}

// What `values` are, with the range that `declared` gives them.
FieldInfo describe(const DatasetInfo& info, const std::string& key, const at::Tensor& values,
                   const FieldInfo* declared) {
  FieldInfo field = declared != nullptr ? *declared : FieldInfo{};
  const auto shape = values.sizes().slice(1).vec();
  if (!field.shape.empty() && field.shape != shape) {
    throw DataError({name_of(info),
                     fmt::format("field {} of shape {}", quote(key), shape_text(field.shape)),
                     shape_text(shape),
                     {}});
  }
  field.shape = shape;
  field.dtype = values.scalar_type();
  if (declared == nullptr && field.dtype != at::kByte) field.low = field.high = 0;
  if (key == "target" && holds_labels(field)) check_labels(info, values, field);
  return field;
}

std::string keys_text(const DatasetInfo& info) {
  std::vector<std::string> keys;
  for (const auto& [key, field] : info.fields) keys.push_back(key);
  return keys.empty() ? "no fields" : "only " + join(keys);
}

void check_size(const DatasetInfo& info, const std::string& key, const at::Tensor& values, std::int64_t size) {
  if (values.size(0) == size) return;
  throw DataError({name_of(info), fmt::format("{} examples in field {}", size, quote(key)),
                   fmt::format("{}", values.size(0)), "every field has one entry an example"});
}

void check_index(const DatasetInfo& info, const at::Tensor& index, std::int64_t size) {
  if (!index.defined() || index.dim() != 1 || index.scalar_type() != at::kLong) {
    throw DataError({name_of(info), "an index (N) of int64", index.defined() ? text_of(index) : "no tensor", {}});
  }
  const at::Tensor places = index.cpu().contiguous();
  const std::span values(places.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(places.numel()));
  const auto wrong = std::find_if(values.begin(), values.end(), [&](auto place) { return place < 0 || place >= size; });
  if (wrong == values.end()) return;
  throw DataError({name_of(info), fmt::format("positions below {}", size), fmt::format("{}", *wrong), {}});
}

}  // namespace

Dataset::Dataset(std::shared_ptr<const Source> source) : source_(std::move(source)) {
  if (!source_) throw DataError({"dataset", "a source", "none", {}});
}

Dataset Dataset::from_tensors(Fields fields, DatasetInfo info) {
  const std::string where = name_of(info);
  if (fields.keys().empty()) throw DataError({where, "at least one field, such as \"input\"", "none", {}});
  for (const auto& [key, field] : info.fields) {
    if (!fields.has(key)) throw DataError({where, "a tensor for the declared field " + quote(key), "none", {}});
  }
  for (const auto& key : fields.keys()) fields.set(key, stored(where, key, fields[key]));
  const std::int64_t size = fields.has("input") ? fields.input().size(0) : fields.size();
  for (const auto& [key, values] : fields) {
    check_size(info, key, values, size);
    const auto declared = info.fields.find(key);
    info.fields[key] = describe(info, key, values, declared == info.fields.end() ? nullptr : &declared->second);
  }
  return Dataset(std::make_shared<TensorSource>(std::move(fields), std::move(info), size));
}

const DatasetInfo& Dataset::info() const { return source_->info(); }

std::int64_t Dataset::size() const { return source_->size(); }

std::int64_t Dataset::classes() const {
  const auto found = info().fields.find("target");
  if (found == info().fields.end() || !holds_labels(found->second)) return 0;
  const auto named = static_cast<std::int64_t>(info().classes.size());
  return named > 0 ? named : static_cast<std::int64_t>(found->second.high) + 1;
}

bool Dataset::has(const std::string& field) const { return info().fields.contains(field); }

Fields Dataset::gather(const at::Tensor& index) const {
  check_index(info(), index, size());
  return source_->gather(index);
}

Fields Dataset::all() const {
  Fields result;
  for (const auto& [key, field] : info().fields) result.set(key, source_->column(key));
  return result;
}

at::Tensor Dataset::column(const std::string& field) const {
  if (has(field)) return source_->column(field);
  throw DataError({name_of(info()), "a field " + quote(field), keys_text(info()), {}});
}

at::Tensor Dataset::labels() const {
  const auto found = info().fields.find("target");
  if (found != info().fields.end() && holds_labels(found->second)) return source_->column("target").to(at::kCPU);
  throw DataError({name_of(info()),
                   "labels: integers (N) as field \"target\"",
                   found == info().fields.end() ? keys_text(info()) : "a \"target\" of other values",
                   {}});
}

Dataset Dataset::select(const at::Tensor& index) const {
  const bool mask = index.defined() && index.scalar_type() == at::kBool && index.dim() == 1 && index.size(0) == size();
  const at::Tensor chosen = mask ? index.nonzero().squeeze(1) : index;
  check_index(info(), chosen, size());
  return Dataset(View::of(source_, chosen.to(at::kCPU)));
}

Dataset Dataset::with(std::string field, at::Tensor values) const {
  DatasetInfo changed = info();
  values = stored(name_of(changed), field, values);
  check_size(changed, field, values, size());
  changed.fields[field] = describe(changed, field, values, nullptr);
  return Dataset(std::make_shared<Overlay>(source_, std::move(changed), std::move(field), std::move(values)));
}

Dataset Dataset::without(const std::string& field) const {
  if (!has(field)) return *this;
  DatasetInfo changed = info();
  changed.fields.erase(field);
  return Dataset(std::make_shared<Overlay>(source_, std::move(changed), field, std::nullopt));
}

std::string Dataset::name(std::int64_t i) const {
  std::string own = source_->name(i);
  return own.empty() ? std::to_string(i + 1) : own;
}

bool Dataset::named() const { return size() > 0 && !source_->name(0).empty(); }

Dataset Dataset::with_names(std::vector<std::string> names) const {
  return Dataset(std::make_shared<Named>(source_, std::move(names)));
}

Dataset Dataset::described(DatasetInfo changed) const {
  return Dataset(std::make_shared<Described>(source_, std::move(changed)));
}

}  // namespace vaetl
