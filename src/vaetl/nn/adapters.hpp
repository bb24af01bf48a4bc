// The adapters. W is a layer's weight, the features of its output are the rows of W; of a convolution W is the matrix
// (out, in · k · k), of a transposed one (in, out · k · k). A recurrent layer has a W for each step's input and for
// what it carries on, of each layer and direction (nn/recurrent.hpp).
#pragma once
#include "vaetl/nn/activation.hpp"
#include "vaetl/nn/adapter.hpp"
#include "vaetl/nn/layers.hpp"

namespace vaetl::nn {

// W + (alpha / rank) B A, A (rank, in) drawn as the weight of a linear layer, B (out, rank) from 0 (arXiv:2106.09685,
// section 4.1). Of a W of fewer rows or columns than `rank` the rank is theirs. Parameters: lora_a, lora_b; of
// recurrent layers lora_a_ih_l0, lora_b_ih_l0, ….
class Lora final : public Adapter {
 public:
  static constexpr std::string_view name = "lora";
  struct Options {
    std::int64_t rank = 8;
    double alpha = 0;
    static constexpr auto fields() {
      return std::tuple{field("rank", &Options::rank, "columns of B and rows of A", between(1, 65536)),
                        field("alpha", &Options::alpha, "what is added is scaled by alpha / rank; 0: as rank, by 1",
                              between(0, 1e6))};
    }
  };
  explicit Lora(const Options& options);
  void bind(const LayerMaps& layer) override;
  at::Tensor weight(const LinearMap& map, std::size_t index) const override;

 private:
  struct Factors {
    at::Tensor a, b;
  };
  Options options_;
  double scale_;
  std::vector<Factors> factors_;
};

// l ⊙ (W x + b): every feature of the output has a factor, learnt from 1 (arXiv:2205.05638, section 3.3). Of recurrent
// layers both W x + b and U h + c have one. Parameters: scale; of recurrent layers scale_ih_l0, ….
class Ia3 final : public Adapter {
 public:
  static constexpr std::string_view name = "ia3";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  explicit Ia3(const Options&) {}
  void bind(const LayerMaps& layer) override;
  at::Tensor weight(const LinearMap& map, std::size_t index) const override;
  at::Tensor bias(const LinearMap& map, std::size_t index) const override;

 private:
  std::vector<at::Tensor> scales_;
};

// y + W₂ a(W₁ y + b₁) + b₂ of the output y before its activation, at every position, with W₂ and b₂ from 0
// (arXiv:1902.00751, section 2.1); the features of a picture are its channels. Parameters: down.weight, down.bias,
// up.weight, up.bias.
class Bottleneck final : public Adapter {
 public:
  static constexpr std::string_view name = "bottleneck";
  struct Options {
    std::int64_t hidden = 0;
    std::string activation = "gelu";
    static constexpr auto fields() {
      return std::tuple{field("hidden", &Options::hidden, "features between down and up; 0: a quarter of the output's",
                              between(0, 65536)),
                        choice("activation", &Options::activation, "a", activations)};
    }
  };
  explicit Bottleneck(const Options& options) : options_(options) {}
  void bind(const LayerMaps& layer) override;
  bool changes_output() const override { return true; }
  at::Tensor output(const at::Tensor& y) override;

 private:
  Options options_;
  Activation activation_;
  bool picture_ = false;
  std::shared_ptr<Linear> down_, up_;
};

}  // namespace vaetl::nn
