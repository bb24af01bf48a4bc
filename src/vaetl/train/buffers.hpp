// The buffers of modules as they were, so that a batch can be evaluated again from the same start: running statistics,
// carried states, queues. Internal to train.
#pragma once
#include <torch/nn/module.h>

#include <type_traits>
#include <vector>

namespace vaetl {

class SavedBuffers {
 public:
  SavedBuffers() = default;  // of nothing
  template <class... Modules>
  requires(sizeof...(Modules) > 0 &&
           (std::is_base_of_v<torch::nn::Module, Modules> && ...)) explicit SavedBuffers(const Modules&... modules) {
    (add(modules), ...);
    save();
  }
  void save();
  void restore() const;

 private:
  void add(const torch::nn::Module& module);
  std::vector<at::Tensor> buffers_, saved_;
};

}  // namespace vaetl
