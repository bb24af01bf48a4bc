// Feature maps held near the source's (arXiv:1901.09229, section 3, DELTA). With F_g(x) what layer group g puts
// out of an example and F⁰_g(x) what the same group of a frozen copy of the model does, of C channels at S places each,
//   α / 2 Σ_g Σ_c C a_gc ‖F_gc(x) − F⁰_gc(x)‖² / S,  Σ_c a_gc = 1,
// averaged over the examples. Channels are those of a convolution (N, C, H, W), the features of a dense layer (N, C)
// and of a sequence (N, T, C), whose padding does not count. Term "delta".
//
// a = 1 / C with channels "alike". With "attention" it is the softmax over a group's channels of the rise of the
// cross-entropy when the channel is set to 0, to first order: −Σ F_gc ∂L/∂F_gc (arXiv:1611.06440, section 2.2) in place
// of one pass for each channel. It is taken of the first batch and of a head that should know the task by then
// (transfer.solve_head): one that is fresh makes all channels nearly alike.
//
// The copy is taken at bind(), before the first step; it is a submodule that does not train, and a checkpoint holds it.
// It is run in evaluation mode without gradients beside the model's own pass.
//
//   auto objective = make<objectives::CrossEntropy>() + make<objectives::Delta>({.alpha = 0.1, .channels = "alike"});
#pragma once
#include "vaetl/objectives/objective.hpp"

namespace vaetl::objectives {

class Delta final : public Objective {
 public:
  static constexpr std::string_view name = "delta";
  struct Options {
    double alpha = 0.01;
    std::vector<std::string> groups = {"backbone"};
    std::string channels = "attention";
    static constexpr auto fields() {
      return std::tuple{
          field("alpha", &Options::alpha, "α, weight of the distance", at_least(0)),
          field("groups", &Options::groups, "layer groups, by pattern, whose outputs are compared"),
          choice("channels", &Options::channels, "how they weigh: attention or alike", {"attention", "alike"})};
    }
  };

  explicit Delta(Options options) : options_(std::move(options)) {}
  Needs needs() const override;
  std::vector<Update> updates() const override { return {{.groups = {"*"}}}; }  // the copy is not trained
  // ConfigError for no groups, and for a pattern that matches nothing that encode() runs.
  void bind(Model& model, const Batch& example) override;
  Terms terms(std::size_t update, Pass& pass) override;
  void train(bool on = true) override;

 private:
  void weigh_channels(Model& source, const Fields& example);

  Options options_;
  std::shared_ptr<Model> source_;
  std::shared_ptr<torch::nn::Module> attention_;  // its buffers are C a_gc, one a group
  std::vector<std::string> groups_;
  std::vector<at::Tensor> weights_;
};

}  // namespace vaetl::objectives
