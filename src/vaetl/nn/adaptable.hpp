// What a leaf layer offers to adapters (nn/adapter.hpp): the linear maps that it computes with and its output. A layer
// that has an adapter computes with adapter->weight() and adapter->bias() in place of its own, and hands on
// adapter->output() of what comes out.
#pragma once
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

namespace vaetl::nn {

class Adapter;

// weight and bias as the layer computes with them; its outputs are the weight's rows.
struct LinearMap {
  std::string suffix;       // of the names of its tensors: "" of `weight`, "_hh_l0" of `weight_hh_l0`
  at::Tensor weight, bias;  // bias undefined: none
  // Of a transposed convolution, whose weight is (in, out / groups, k, k): its outputs are columns, group by group; 0:
  // rows.
  std::int64_t transposed_groups = 0;
  std::int64_t outputs() const { return transposed_groups > 0 ? weight.size(1) * transposed_groups : weight.size(0); }
};

struct LayerMaps {
  std::vector<LinearMap> maps;
  std::int64_t features = 1;  // of the output
  bool picture = false;       // the output is (N, features, H, W); else (…, features)
  bool derived = false;       // the weight is made of another by spectral norm, so that nothing can be merged into it
};

class Adaptable {
 public:
  virtual ~Adaptable() = default;
  virtual LayerMaps maps() const = 0;  // without the adapter
  // In place of one that it had. The layer does not own its tensors: they are registered elsewhere (nn/adapter.hpp).
  void set_adapter(std::shared_ptr<Adapter> adapter) { adapter_ = std::move(adapter); }
  const std::shared_ptr<Adapter>& adapter() const { return adapter_; }

 protected:
  Adaptable() = default;
  Adaptable(const Adaptable&) = default;
  Adaptable& operator=(const Adaptable&) = default;
  at::Tensor adapted_weight(const LinearMap& map, std::size_t index = 0) const;
  at::Tensor adapted_bias(const LinearMap& map, std::size_t index = 0) const;
  at::Tensor adapted_output(at::Tensor y) const;
  bool output_is_adapted() const;

 private:
  std::shared_ptr<Adapter> adapter_;
};

}  // namespace vaetl::nn
