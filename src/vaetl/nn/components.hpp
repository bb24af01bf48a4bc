// The components: blocks that attend, gate and add. Where an input is a picture (C, H, W), "features" are its channels
// and a linear map of them is a 1 × 1 convolution; of a sequence (T, F) or a vector (F) they are the last dimension.
#pragma once
#include "vaetl/nn/component.hpp"

namespace vaetl::nn {

// A linear map of the features at every position, whatever the rank: a Conv2d or a Linear.
struct FeatureMap {
  std::shared_ptr<torch::nn::Module> module;
  Sequence::Function map;
  at::Tensor operator()(const at::Tensor& x) const { return map(x); }
};

// y = concat(heads) W + b, head i = softmax(q kᵀ / √d) v over the positions of a sequence or the pixels of a picture
// (arXiv:1706.03762, eq. 1 and section 3.2.2). Parameters as those of torch.nn.MultiheadAttention: in_proj_weight
// (3F, F), in_proj_bias, out_proj.weight, out_proj.bias. Padding is no position. Usually wanted inside a residual.
class SelfAttention final : public Component {
 public:
  static constexpr std::string_view name = "self_attention";
  struct Options {
    std::int64_t heads = 4;
    static constexpr auto fields() {
      return std::tuple{field("heads", &Options::heads, "attention heads; they divide the features", between(1, 1024))};
    }
  };
  explicit SelfAttention(const Options& options) : options_(options) {}
  void bind(const std::vector<std::int64_t>& shape) override;
  at::Tensor forward(const at::Tensor& x) override;
  at::Tensor over_steps(const at::Tensor& x, const at::Tensor& lengths) override;
  bool sees_other_steps() const override { return true; }

 private:
  at::Tensor attend(const at::Tensor& x, const at::Tensor& lengths = {}) const;  // (N, T, F)
  Options options_;
  at::Tensor in_proj_weight_, in_proj_bias_;
  std::shared_ptr<Linear> out_proj_;
};

// y = (W x + b) ⊙ σ(V x + c) (arXiv:1612.08083, eq. 1). Parameters: proj, W above V.
class Glu final : public Component {
 public:
  static constexpr std::string_view name = "glu";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  explicit Glu(const Options&) {}
  void bind(const std::vector<std::int64_t>& shape) override;
  at::Tensor forward(const at::Tensor& x) override;

 private:
  FeatureMap proj_;
  std::int64_t dimension_ = -1;
};

// y = t ⊙ a(W x + b) + (1 − t) ⊙ x, t = σ(V x + c) (arXiv:1505.00387, eq. 3). c starts at `bias`: below 0 it carries
// its input through. Parameters: hidden (W, b), gate (V, c).
class Highway final : public Component {
 public:
  static constexpr std::string_view name = "highway";
  struct Options {
    std::string activation = "relu";
    double bias = -2;
    static constexpr auto fields() {
      return std::tuple{choice("activation", &Options::activation, "a", activations),
                        field("bias", &Options::bias, "where the gate's bias starts", between(-20, 20))};
    }
  };
  explicit Highway(const Options& options) : options_(options) {}
  void bind(const std::vector<std::int64_t>& shape) override;
  at::Tensor forward(const at::Tensor& x) override;

 private:
  Options options_;
  Activation activation_;
  FeatureMap hidden_, gate_;
};

// y = W₂ a(W₁ x + b₁) + b₂ at every position (arXiv:1706.03762, eq. 2); of pictures by convolutions of `kernel`. Few
// hidden features make it an adapter (arXiv:1902.00751). Parameters: fc1, fc2. Usually wanted inside a residual.
class FeedForward final : public Component {
 public:
  static constexpr std::string_view name = "feed_forward";
  struct Options {
    std::int64_t hidden = 0, kernel = 1;
    std::string activation = "relu";
    static constexpr auto fields() {
      return std::tuple{
          field("hidden", &Options::hidden, "hidden features; 0: as many as there are", between(0, 65536)),
          field("kernel", &Options::kernel, "of the convolutions of a picture, odd", between(1, 31)),
          choice("activation", &Options::activation, "a", activations)};
    }
    void validate() const;
  };
  explicit FeedForward(const Options& options) : options_(options) {}
  void bind(const std::vector<std::int64_t>& shape) override;
  at::Tensor forward(const at::Tensor& x) override;

 private:
  Options options_;
  Activation activation_;
  FeatureMap fc1_, fc2_;
};

// y = a(W x + b), of pictures a convolution of `kernel`, with W from the identity and b from 0: after outputs that a
// leaves as they are (relu after relu) a pretrained network computes what it did (arXiv:1511.05641, section 2.3).
// Parameters: fc.
class Layer final : public Component {
 public:
  static constexpr std::string_view name = "layer";
  struct Options {
    std::int64_t kernel = 1;
    std::string activation = "relu";
    static constexpr auto fields() {
      return std::tuple{field("kernel", &Options::kernel, "of the convolution of a picture, odd", between(1, 31)),
                        choice("activation", &Options::activation, "a", activations)};
    }
    void validate() const;
  };
  explicit Layer(const Options& options) : options_(options) {}
  void bind(const std::vector<std::int64_t>& shape) override;
  at::Tensor forward(const at::Tensor& x) override;

 private:
  Options options_;
  Activation activation_;
  FeatureMap fc_;
};

// y = x + g f(x), f another component (arXiv:1512.03385, eq. 1). With a gate g is learnt from 0 (arXiv:2003.04887,
// eq. 4), so that it starts as the identity and a pretrained network computes what it did; without, g is 1.
// Parameters: gate (1), of.….
class Residual final : public Component {
 public:
  static constexpr std::string_view name = "residual";
  struct Options {
    Spec<Component> of = {"feed_forward"};
    bool gate = true;
    static constexpr auto fields() {
      return std::tuple{field("of", &Options::of, "f: the name of a component, or an object with its options"),
                        field("gate", &Options::gate, "learn g from 0; false: g is 1")};
    }
  };
  explicit Residual(const Options& options) : options_(options) {}
  void bind(const std::vector<std::int64_t>& shape) override;
  at::Tensor forward(const at::Tensor& x) override;
  at::Tensor over_steps(const at::Tensor& x, const at::Tensor& lengths) override;
  bool sees_other_steps() const override { return of_->sees_other_steps(); }

 private:
  at::Tensor add(const at::Tensor& x, const at::Tensor& change) const;
  Options options_;
  std::shared_ptr<Component> of_;
  at::Tensor gate_;
};

// y = x ⊙ σ(W₂ relu(W₁ s + b₁) + b₂), s the mean of x over the pixels or steps (arXiv:1709.01507, eq. 2–4).
// Parameters: fc1, fc2, as those of torchvision.ops.SqueezeExcitation.
class SqueezeExcitation final : public Component {
 public:
  static constexpr std::string_view name = "squeeze_excitation";
  struct Options {
    std::int64_t reduction = 16;
    static constexpr auto fields() {
      return std::tuple{field("reduction", &Options::reduction, "features over hidden features", between(1, 65536))};
    }
  };
  explicit SqueezeExcitation(const Options& options) : options_(options) {}
  void bind(const std::vector<std::int64_t>& shape) override;
  at::Tensor forward(const at::Tensor& x) override;

 private:
  Options options_;
  FeatureMap fc1_, fc2_;
};

}  // namespace vaetl::nn
