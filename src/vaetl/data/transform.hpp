// A change of a batch's fields. The same kind serves preprocessing (deterministic, fitted once, travels with the
// weights) and augmentation (random, stays in the recipe). A user's own class joins by
// registry<Transform>().add<Mine>().
#pragma once
#include <ATen/core/Generator.h>

#include "vaetl/core/batch.hpp"
#include "vaetl/core/registry.hpp"
#include "vaetl/data/dataset.hpp"

namespace vaetl {

struct Transform {
  using Kind = Transform;
  virtual ~Transform() = default;
  // Replaces `input` (and what must change with it), float32 on its device; it never writes into the tensors that it is
  // given. Random numbers come from `generator` (CPU) alone, one draw a batch at fixed sizes, so that the result
  // depends on nothing else; a deterministic transform is given none.
  virtual void apply(Fields& fields, at::Generator& generator) const = 0;
  virtual bool random() const { return false; }
  // Options completed with what is learnt from the training data (means, columns), whose `input` has passed through the
  // transforms before this one. Default: nothing to learn, null.
  virtual Json fit(const Dataset& train) const;
};

template <>
Registry<Transform>& registry<Transform>();  // scale, standardise; shift, crop, flip, brightness, noise

}  // namespace vaetl
