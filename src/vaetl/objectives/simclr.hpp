// Contrastive learning from two augmented views of each example (arXiv:2002.05709, algorithm 1 and equation 1). With
// z = projection(encode(view)) scaled to length 1, all 2N of them in one batch, the loss of a view i whose partner is j
// is
//   −log ( exp(z_i·z_j / τ) / Σ_{k ≠ i} exp(z_i·z_k / τ) )
// Features (2N, F) → z (2N, D) → one (2N, 2N) product. Term "contrast", the mean over both views; logged
// "contrast_accuracy", the share of views whose most similar other view is their partner (1 / (2N − 1) by chance).
// The projection is a submodule, so it is trained and resumed with the objective and left behind by the encoder.
//
//   Pipeline two_views({{.data = train, .views = 2, .augment = {…}}});
//   Trainer({.epochs = 4, .batch_size = 256}).fit(cnn, make<objectives::SimClr>({.temperature = 0.5}), two_views);
#pragma once
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class SimClr final : public Objective {
 public:
  static constexpr std::string_view name = "simclr";
  struct Options {
    double temperature = 0.5;
    std::vector<std::int64_t> projection = {256, 64};
    static constexpr auto fields() {
      return std::tuple{
          field("temperature", &Options::temperature, "τ; smaller looks harder at near views", at_least(1e-3)),
          field("projection", &Options::projection,
                "widths of the projection's layers, ReLU between them; empty: the features themselves", at_least(1))};
    }
  };

  explicit SimClr(Options options) : options_(std::move(options)) {}
  Needs needs() const override { return {.capabilities = {"Encoder"}, .fields = {"input"}, .views = 2}; }
  void bind(Model& model, const Batch& example) override;  // makes the projection; ConfigError for more than two views
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  class Projection;

  Options options_;
  std::shared_ptr<Projection> projection_;
};

}  // namespace vaetl::objectives
