// What an autoencoder minimises: how far decode(encode(x)) is from x, the mean over an example's elements of
//   mse            (x − x̂)²                                        x̂ the decoder's mean
//   cross_entropy  −x log σ(l) − (1 − x) log(1 − σ(l))             l the decoder's logits, x in [0, 1]
//   likelihood     −log p(x | z)                                   as the decoder says it: the loss of token ids
// as torch.nn.MSELoss and BCEWithLogitsLoss have the first two. Of padded sequences, a batch with `length`, the
// elements before the end count, of token ids those of the text with the padding that ends it. A paper that sums over
// the elements has as many times larger weights for the terms beside it. Term "reconstruction". With `corrupt` it is a
// denoising autoencoder (Vincent et al., JMLR 11, 2010): the encoder sees the corrupted input, the target stays clean;
// in evaluation nothing is corrupted. Other terms of a sum see the clean code. A variational model is taken by its
// posterior's mean. ConfigError: a code that the decoder does not take, a decoder without logits for cross_entropy, or
// of token ids for mse.
//
//   auto objective = make<objectives::Reconstruction>({.corrupt = spec<corruptions::Masking>({.share = 0.3})});
//   Trainer({.epochs = 10}).fit(make<models::Autoencoder>(), objective, data.train);
#pragma once
#include "vaetl/objectives/corruption.hpp"
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class Reconstruction final : public Objective {
 public:
  static constexpr std::string_view name = "reconstruction";
  struct Options {
    std::string loss = "mse";
    Spec<Corruption> corrupt = {};
    static constexpr auto fields() {
      return std::tuple{choice("loss", &Options::loss, "what is averaged over an example's elements",
                               {"mse", "cross_entropy", "likelihood"}),
                        field("corrupt", &Options::corrupt,
                              "damage to the input, such as gaussian, masking, box or halve; none by default")};
    }
  };

  explicit Reconstruction(const Options& options);
  Needs needs() const override { return {.capabilities = {"Encoder", "Decoder"}, .fields = {"input"}}; }
  void bind(Model& model, const Batch& example) override;
  Terms terms(std::size_t update, Pass& pass) override;

 private:
  std::shared_ptr<Likelihood> rebuilt(Pass& pass) const;
  at::Tensor losses(const Likelihood& likelihood, const Fields& fields) const;

  std::string loss_;
  std::shared_ptr<Corruption> corruption_;  // null: none
  FieldInfo input_ = {};
};

}  // namespace vaetl::objectives
