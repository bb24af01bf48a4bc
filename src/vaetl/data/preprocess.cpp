#include "vaetl/data/preprocess.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/text.hpp"
#include "vaetl/data/bytes.hpp"
#include "vaetl/data/transforms/mapping.hpp"

namespace vaetl {
namespace {

// The training data as they look after the transforms fitted so far.
class Mapped final : public Source {
 public:
  Mapped(Dataset base, const Preprocess& preprocess) : base_(std::move(base)), preprocess_(preprocess) {}
  const DatasetInfo& info() const override { return base_.info(); }
  std::int64_t size() const override { return base_.size(); }
  Fields gather(const at::Tensor& index) const override {
    Fields fields = base_.gather(index);
    preprocess_.apply(fields);
    return fields;
  }

 private:
  Dataset base_;
  const Preprocess& preprocess_;
};

bool has_range(const FieldInfo& field) { return field.low < field.high; }

}  // namespace

void Preprocess::add(Spec<Transform> spec, const std::string& path) {
  auto transform = registry<Transform>().make(spec, path);
  if (transform->random()) {
    throw ConfigError(
        {path, "a transform that is not random", quote(spec.name), "write it under a stream's `augment`"});
  }
  specs_.push_back(registry<Transform>().complete(spec, path));
  transforms_.push_back(std::move(transform));
}

Preprocess Preprocess::read_by(const DatasetInfo& info) {
  Preprocess result;
  if (!info.reader.is_null()) result.add(spec<transforms::Read>({.reader = info.reader}), "preprocess[0]");
  return result;
}

Json Preprocess::reader() const {
  const bool told = !specs_.empty() && specs_[0].name == transforms::Read::name;
  return told ? specs_[0].options.at("reader") : Json();
}

Preprocess Preprocess::fit(const std::vector<Spec<Transform>>& transforms, const Dataset& train) {
  Preprocess result = read_by(train.info());
  for (std::size_t i = 0; i < transforms.size(); ++i) {
    const std::string path = fmt::format("preprocess[{}]", i);
    Preprocess next = result;
    if (transforms[i].name == transforms::Read::name) continue;  // of other data, say: these have told their own
    next.add(transforms[i], path);
    Json fitted = next.transforms_.back()->fit(Dataset(std::make_shared<Mapped>(train, result)));
    if (!fitted.is_null()) {
      next = result;
      next.add({transforms[i].name, std::move(fitted)}, path);
    }
    result = std::move(next);
  }
  return result;
}

Preprocess Preprocess::standard(const DatasetInfo& data, const Signature& signature) {
  const auto have = data.fields.find("input");
  const auto want = signature.inputs.find("input");
  Preprocess result = read_by(data);
  if (have == data.fields.end() || want == signature.inputs.end()) return result;
  const FieldInfo &from = have->second, &to = want->second;
  if (from.dtype == at::kInt) return result;  // token ids have no scale
  if (!has_range(from) || !has_range(to) || (from.low == to.low && from.high == to.high)) return result;
  result.add(spec<transforms::Scale>({.from = {from.low, from.high}, .to = {to.low, to.high}}), "preprocess[0]");
  return result;
}

Preprocess Preprocess::standard(const Dataset& train, const Signature& signature) {
  if (train.info().preprocess.is_null()) return standard(train.info(), signature);
  std::vector<Spec<Transform>> recommended;
  Codec<std::vector<Spec<Transform>>>::read(train.info().preprocess, "preprocess", recommended, {});
  return fit(recommended, train);
}

Preprocess Preprocess::from_json(const Json& json, const std::string& path) {
  std::vector<Spec<Transform>> specs;
  Codec<std::vector<Spec<Transform>>>::read(json, path, specs, {});
  Preprocess result;
  for (std::size_t i = 0; i < specs.size(); ++i) result.add(std::move(specs[i]), fmt::format("{}[{}]", path, i));
  return result;
}

// The first that does something, where it can take the input's bytes as they are.
const Transform* Preprocess::scale_of_bytes() const {
  for (std::size_t i = 0; i < transforms_.size(); ++i) {
    if (specs_[i].name == transforms::Read::name) continue;
    const bool takes = transforms_[i]->key() == "input" && transforms_[i]->of_bytes();
    return takes ? transforms_[i].get() : nullptr;
  }
  return nullptr;
}

void Preprocess::apply(Fields& fields) const {
  const Transform* done = nullptr;
  if (fields.has("input")) {
    const at::Tensor& input = fields.input();
    if (plain_bytes(input)) done = scale_of_bytes();
    fields.set("input", done != nullptr ? scaled_bytes(input, *done->of_bytes())
                                        : input.to(input.scalar_type() == at::kInt ? at::kLong : at::kFloat));
  }
  at::Generator none;
  for (const auto& transform : transforms_) {
    if (transform.get() != done && fields.has(transform->key())) transform->apply(fields, none);
  }
}

at::Tensor Preprocess::restore(const std::string& field, at::Tensor values) const {
  for (auto it = transforms_.rbegin(); it != transforms_.rend(); ++it) {
    if ((*it)->key() == field) values = (*it)->restore(values);
  }
  return values;
}

std::optional<std::vector<std::int64_t>> Preprocess::raw_shape(const std::vector<std::int64_t>& seen) const {
  std::optional shape = seen;
  for (auto it = transforms_.rbegin(); it != transforms_.rend() && shape; ++it) {
    if ((*it)->key() == "input") shape = (*it)->shape_before(*shape);
  }
  return shape;
}

std::optional<Range> Preprocess::raw_range(const Range& seen) const {
  std::optional range = seen;
  for (auto it = transforms_.rbegin(); it != transforms_.rend(); ++it) {
    if ((*it)->key() == "input") range = (*it)->range_before(range);
  }
  return range;
}

Json Preprocess::json() const { return Codec<std::vector<Spec<Transform>>>::write(specs_); }

}  // namespace vaetl
