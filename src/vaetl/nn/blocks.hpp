// What encoders and decoders are made of: one tensor in, one out. Children bear the names dense or conv, and norm, so a
// parameter is called encoder.0.conv.weight.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "vaetl/nn/activation.hpp"
#include "vaetl/nn/layers.hpp"

namespace vaetl::nn {

class Block : public torch::nn::Module {
 public:
  virtual at::Tensor forward(const at::Tensor& x) = 0;
  // Of a block that now is no more than dense(x.flatten(1)): a Sequence runs those that follow one another as one.
  virtual std::optional<DenseLayer> as_dense() const { return std::nullopt; }
};

// Steps one after another. As in torch.nn.Sequential a child bears the number of its place, and a function without
// parameters takes a place but no name. What a child and the functions after it make is shown to nn::Taps.
class Sequence final : public Block {
 public:
  using Function = std::function<at::Tensor(at::Tensor fresh)>;  // may overwrite what it takes
  template <class Layer>
  void add(std::shared_ptr<Layer> layer) {
    append(std::to_string(size_++), std::move(layer));
  }
  void add(Function function) {
    const torch::nn::Module* ends = steps_.empty() ? nullptr : std::exchange(steps_.back().ends, nullptr);
    steps_.push_back({std::move(function), nullptr, ends});
    ++size_;
  }
  // Takes no place, so that all others keep their names: after the step called 1 it is called 1_inserted.
  template <class Layer>
  void insert(std::shared_ptr<Layer> layer) {
    append(std::to_string(size_ - 1) + "_inserted", std::move(layer));
  }
  at::Tensor forward(const at::Tensor& x) override;
  std::size_t size() const { return size_; }  // places

 private:
  template <class Layer>
  void append(std::string name, std::shared_ptr<Layer> layer) {
    Step step{[layer = layer.get()](const at::Tensor& x) { return layer->forward(x); }, nullptr, layer.get()};
    if constexpr (std::is_base_of_v<Block, Layer>) step.block = layer.get();
    steps_.push_back(std::move(step));
    register_module(std::move(name), std::move(layer));
  }
  struct Step {
    Function run;
    const Block* block = nullptr;
    const torch::nn::Module* ends = nullptr;  // the child whose output is complete after this step
  };
  std::vector<Step> steps_;
  std::size_t size_ = 0;
};

// What follows a layer; an empty activation is the identity.
struct AfterOptions {
  std::string activation = {};
  bool batch_norm = false;
  double dropout = 0;          // active in training
  bool spectral_norm = false;  // of the layer's weight; an UpBlock has none
  bool layer_norm = false;     // in place of batch_norm; of a DenseBlock
};

// (N, …) flattened to (N, in) → (N, out): dense [+ norm] + activation [+ dropout].
class DenseBlock final : public Block {
 public:
  DenseBlock(std::int64_t in, std::int64_t out, const AfterOptions& after);
  at::Tensor forward(const at::Tensor& x) override;
  std::optional<DenseLayer> as_dense() const override;

 private:
  std::shared_ptr<Linear> dense_;
  std::shared_ptr<BatchNorm> norm_;
  std::shared_ptr<LayerNorm> layer_norm_;
  Activation activation_;
  double dropout_;
};

enum class Downsample { max_pool, stride };

struct ConvBlockOptions {
  std::int64_t in = 1, out = 1, kernel = 3;  // kernel odd: padding keeps the size
  Downsample downsample = Downsample::max_pool;
};
// (N, in, H, W) → (N, out, H', W'): conv [+ norm] + activation + 2 × 2 max pool, H' = ⌊H / 2⌋; or a conv of stride 2,
// H' = ⌈H / 2⌉.
class ConvBlock final : public Block {
 public:
  ConvBlock(const ConvBlockOptions& options, const AfterOptions& after);
  at::Tensor forward(const at::Tensor& x) override;

 private:
  std::shared_ptr<Conv2d> conv_;
  std::shared_ptr<BatchNorm> norm_;
  Activation activation_;
  Downsample downsample_;
};

using Size2 = std::array<std::int64_t, 2>;  // H, W

struct UpBlockOptions {
  std::int64_t in = 1, out = 1, kernel = 3;  // kernel odd, of the convolution it mirrors
  Size2 from = {}, to = {};                  // from = ⌊to / 2⌋
};
// (N, in, H, W), or flat, → (N, out, 2H or 2H + 1, 2W or 2W + 1): transposed conv of stride 2 [+ norm] + activation.
// Its own kernel is one larger, even, so that every output pixel is reached equally often: no checkerboard (Odena et
// al., Distill 2016, doi:10.23915/distill.00003).
class UpBlock final : public Block {
 public:
  UpBlock(const UpBlockOptions& options, const AfterOptions& after);
  at::Tensor forward(const at::Tensor& x) override;

 private:
  std::shared_ptr<ConvTranspose2d> conv_;
  std::shared_ptr<BatchNorm> norm_;
  Activation activation_;
  UpBlockOptions options_;
};

}  // namespace vaetl::nn
