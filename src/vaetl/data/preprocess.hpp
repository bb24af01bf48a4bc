// Preprocessing belongs to the weights: fitted once on the training data, written into model.json with its fitted
// values, applied wherever the model is trained or scored.
#pragma once
#include <memory>
#include <vector>

#include "vaetl/data/transform.hpp"

namespace vaetl {

class Preprocess {
 public:
  Preprocess() = default;
  // Fits one transform after the other, each on the training data as those before it leave them. Where files were read
  // by a reader that has something to repeat, its spec comes first, as the transform `read`. ConfigError for a random
  // transform: augmentation belongs to the recipe's streams.
  static Preprocess fit(const std::vector<Spec<Transform>>& transforms, const Dataset& train);
  // The default: maps the data's declared range of `input` linearly to the one in the model's signature. Empty where
  // they are equal, where either declares none, and for token ids.
  static Preprocess standard(const DatasetInfo& data, const Signature& signature);
  // The default for training: what the reader of the data recommends, fitted; without a recommendation the mapping
  // above.
  static Preprocess standard(const Dataset& train, const Signature& signature);
  static Preprocess from_json(const Json& json, const std::string& path = "preprocess");

  // `input` becomes float32 first, token ids (int32) int64. Transforms of fields that are not there are left out.
  void apply(Fields& fields) const;
  at::Tensor restore(const std::string& field, at::Tensor values) const;  // predictions of it in the data's own units
  // The shape of raw inputs, without N, where the model sees inputs of the shape `seen`: −1 for a size that may be any,
  // none where it cannot be told.
  std::optional<std::vector<std::int64_t>> raw_shape(const std::vector<std::int64_t>& seen) const;
  // Likewise the range of their values.
  std::optional<Range> raw_range(const Range& seen) const;
  Json reader() const;  // how raw files became the input (DatasetInfo::reader); null: nothing to repeat
  Json json() const;    // an array of specs with fitted values
  bool empty() const { return specs_.empty(); }

 private:
  const Transform* scale_of_bytes() const;
  static Preprocess read_by(const DatasetInfo& info);
  void add(Spec<Transform> spec, const std::string& path);
  std::vector<Spec<Transform>> specs_;
  std::vector<std::shared_ptr<Transform>> transforms_;
};

}  // namespace vaetl
