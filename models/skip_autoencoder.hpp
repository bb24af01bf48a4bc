// A convolutional autoencoder whose decoder also sees what its encoder saw at each size, and which puts out a
// correction to its input: for repairing pictures. Convolutions and their transposes with symmetric skip connections
// that are added, and one from the input to the output (Mao et al., arXiv:1603.09056, figure 1 and equation 2); pooling
// between them as in arXiv:1505.04597, so that it sees far.
//
//   auto model = make<models::SkipAutoencoder>({.input = {1, 28, 28}, .channels = {16, 32, 64}});
#pragma once
#include <memory>
#include <vector>

#include "vaetl/models/trunk.hpp"
#include "vaetl/nn/restorer.hpp"

namespace vaetl::models {

class DoublingStep;

// x (N, C, H, W) in [0, 1] → the same shape; not clipped. All its layers are convolutions, so the weights fit the
// description with any other height and width. Groups: encoder.0 at the input's size, encoder.1, …, each of which
// halves the picture, decoder.0, …, which double it again, and the last one, which makes the correction.
class SkipAutoencoder final : public Model, public virtual Restorer {
 public:
  static constexpr std::string_view name = "skip_autoencoder";
  struct Options {
    std::vector<std::int64_t> input = {1, 28, 28}, channels = {16, 32, 64};
    std::int64_t kernel = 3;
    std::string activation = "relu";
    static constexpr auto fields() {
      return std::tuple{
          field("input", &Options::input, "shape of one example: channels, height, width", sizes),
          field("channels", &Options::channels, "channels at each size; the picture is halved between them", sizes),
          field("kernel", &Options::kernel, "height and width of the convolutions, odd", between(1, 31)),
          choice("activation", &Options::activation, "activation function of every block", nn::activations)};
    }
    void validate() const;
  };
  explicit SkipAutoencoder(const Options& options);
  std::vector<LayerGroup> layer_groups() const override;
  Signature signature() const override;
  at::Tensor restore(const Fields& fields) override;  // DataError for another shape than the description's

 private:
  std::vector<std::int64_t> input_;
  std::vector<std::shared_ptr<nn::Block>> encoder_;
  std::vector<std::shared_ptr<DoublingStep>> decoder_;
  std::shared_ptr<nn::Block> correction_;
};

}  // namespace vaetl::models
