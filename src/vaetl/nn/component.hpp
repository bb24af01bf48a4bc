// A block that can stand between the layers of a model, because what it puts out has the shape of what it takes. It is
// described by a name and options, so that a model's option `insert` can ask for it:
//
//   {"name": "cnn", "insert": [{"after": "encoder.1", "name": "squeeze_excitation", "reduction": 4}]}
//
// Layers that were there before keep their names, so pretrained weights still fit; what is inserted after the layer
// group encoder.1 is the group inserted.encoder.1, whose tensors start with encoder.1_inserted.
#pragma once
#include <vector>

#include "vaetl/core/registry.hpp"
#include "vaetl/nn/blocks.hpp"

namespace vaetl::nn {

// A class joins by registry<nn::Component>().add<Mine>().
class Component : public Block {
 public:
  using Kind = Component;
  // Makes the layers for inputs of this shape, without N: (F), (T, F), T −1 for any, or (C, H, W). ConfigError where
  // they cannot be.
  virtual void bind(const std::vector<std::int64_t>& shape) = 0;
  // Of padded sequences x (N, T, F) that end at `lengths` (N), undefined: at T. What is behind an end has no part in
  // what is before it. Default: each step by itself.
  virtual at::Tensor over_steps(const at::Tensor& x, const at::Tensor& lengths);
  // Whether over_steps() lets a step see others.
  virtual bool sees_other_steps() const { return false; }
};

struct Insertion {
  std::string after;  // a layer group
  Spec<Component> component;
};
using Insertions = std::vector<Insertion>;

// The components that stand after this layer group, in order; null where there are none. ConfigError as bind() has it.
std::shared_ptr<Sequence> inserted_after(const std::string& group, const std::vector<std::int64_t>& shape,
                                         const Insertions& insertions);
// The same after the last step of a sequence whose steps are the layer groups NAME.0, NAME.1, …; `shape` is what it
// puts out.
void insert_after_last(Sequence& sequence, const std::string& name, const std::vector<std::int64_t>& shape,
                       const Insertions& insertions);
// Those after a layer group of this name, such as "encoder" for encoder.0, encoder.1, ….
Insertions insertions_within(const Insertions& insertions, const std::string& name);
inline std::string inserted_group(const std::string& group) { return "inserted." + group; }

// ConfigError for a place that is none of these layer groups.
void check_places(const Insertions& insertions, const std::vector<std::string>& groups);

}  // namespace vaetl::nn

namespace vaetl {

template <>
Registry<nn::Component>& registry<nn::Component>();  // nn/components.cpp

template <>
struct Codec<nn::Insertion> {
  static void read(const Json& json, const std::string& path, nn::Insertion& value, const Rule& rule);
  static Json write(const nn::Insertion& value);
  static Json schema(const Rule& rule);
};

}  // namespace vaetl
