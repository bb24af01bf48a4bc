// What layer groups put out during a forward pass: C++ has no forward hooks, so whoever runs a layer that may end a
// group shows its output here. Where no Taps live on the thread that costs one comparison.
//
//   const nn::Taps taps(model, {"encoder.1", "layer*"});
//   at::Tensor features = encoder.encode(fields);
//   at::Tensor map = taps["encoder.1"];      // (N, C, H, W), part of the graph of `features`
//
// A layer within a group is tapped by its path, where that is one of those that make up the group: stage1.3 of stage1.
//
// A group's output is what the group after it takes: functions without parameters (activations, pooling) that follow
// its last layer belong to it. Of sequences it is (N, T, F), with padding as it comes; of a latent group the mean.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/nn/model.hpp"

namespace vaetl::nn {

// While one lives, passes on this thread leave the outputs of its groups in it, the latest of each. It must not outlive
// the model. Several may live at once.
class Taps {
 public:
  // Patterns as match_groups takes them, or else over such paths. ConfigError, beginning with `path`, where one matches
  // nothing that has an output of its own, as additions within other layers (adapter.*) have none.
  Taps(const Model& model, const std::vector<std::string>& patterns, const std::string& path = "groups");
  ~Taps() { active_ = outer_; }
  Taps(const Taps&) = delete;
  Taps& operator=(const Taps&) = delete;

  const std::vector<std::string>& groups() const { return groups_; }  // from input to output
  bool has(std::string_view group) const { return outputs_.find(group) != outputs_.end(); }
  // ConfigError where the passes did not run the group, as encode() does not run a decoder: what they did run.
  const at::Tensor& operator[](std::string_view group) const;

  // For those who run layers.
  static bool active() { return active_ != nullptr; }
  static bool wants(const torch::nn::Module* module);  // of any; null: nobody's
  static void show(const torch::nn::Module* module, const at::Tensor& output) {
    if (active_ && module) active_->keep(module, output);
  }

 private:
  void keep(const torch::nn::Module* module, const at::Tensor& output);

  static inline constinit thread_local Taps* active_ = nullptr;
  Taps* outer_;
  std::string path_;
  std::vector<std::string> groups_;
  std::map<const torch::nn::Module*, std::vector<std::string>> wanted_;  // the module that ends a group → its names
  std::map<std::string, at::Tensor, std::less<>> outputs_;
};

// A layer's forward(), shown.
template <class Layer>
at::Tensor shown(Layer& layer, const at::Tensor& x) {
  at::Tensor output = layer.forward(x);
  Taps::show(&layer, output);
  return output;
}

}  // namespace vaetl::nn
