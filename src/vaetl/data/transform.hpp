// A change of a batch's fields. The same kind serves preprocessing (deterministic, fitted once, travels with the
// weights) and augmentation (random, stays in the recipe). A user's own class joins by
// registry<Transform>().add<Mine>().
#pragma once
#include <ATen/core/Generator.h>

#include <optional>
#include <vector>

#include "vaetl/core/batch.hpp"
#include "vaetl/core/registry.hpp"
#include "vaetl/data/dataset.hpp"

namespace vaetl {

struct ByteScale {
  float factor = 1, offset = 0;
};

struct Transform {
  using Kind = Transform;
  virtual ~Transform() = default;
  // Replaces `input` (and what must change with it), float32 on its device; it never writes into the tensors that it is
  // given. Random numbers come from `generator` (CPU) alone, one draw a batch at fixed sizes, so that the result
  // depends on nothing else; a deterministic transform is given none.
  virtual void apply(Fields& fields, at::Generator& generator) const = 0;
  // Where all that it does to bytes b is factor b + offset: they are converted to float32 and scaled in one pass.
  virtual std::optional<ByteScale> of_bytes() const { return std::nullopt; }
  virtual bool random() const { return false; }
  // Whether examples of the batch are combined with each other, which several views of an example do not survive.
  virtual bool mixes() const { return false; }
  // Options completed with what is learnt from the training data (means, columns), whose `input` has passed through the
  // transforms before this one. Default: nothing to learn, null.
  virtual Json fit(const Dataset& train) const;
  // The field it is for. Where a batch lacks that (features were computed before, there are no targets) it is left out.
  virtual std::string key() const { return "input"; }
  // What a model predicts for that field, in the units that apply() found: the inverse of it. Default: as it is.
  virtual at::Tensor restore(const at::Tensor& values) const;
  // The shape of the inputs that it makes inputs of this shape of, both without N: −1 for a size that may be any, none
  // where it cannot be told. Default: the same.
  virtual std::optional<std::vector<std::int64_t>> shape_before(const std::vector<std::int64_t>& after) const {
    return after;
  }
  // The range of the values that it makes values of this range of; none where it cannot be told. Default: the same.
  virtual std::optional<Range> range_before(std::optional<Range> after) const { return after; }
};

template <>
Registry<Transform>& registry<Transform>();  // data/table.cpp

}  // namespace vaetl
