// The head solved, then everything fine-tuned.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class LpFt final : public Method {
 public:
  static constexpr std::string_view name = "lp_ft";
  struct Options {
    double layer_decay = 1;
    static constexpr auto fields() {
      return std::tuple{field("layer_decay", &Options::layer_decay,
                              "a layer group's rate as a factor on that of the next, the head's being 1",
                              between(1e-6, 1))};
    }
  };
  explicit LpFt(const Options& options) : options_(options) {}
  About about() const override {
    return {.text = "a new linear head is solved on the model's features, then everything is trained from there",
            .paper = "Kumar et al., arXiv:2202.10054",
            .more =
                "Linear probing, then fine-tuning. A random head distorts good features before it has learnt\n"
                "anything, which costs most where the task's data differ from those it will be used on. From the\n"
                "solved head the first gradients are small, and what changes is what the features lack."};
  }
  Json patch() const override {
    return {{"transfer", {{"solve_head", Json::object()}, {"layer_decay", options_.layer_decay}}}};
  }

 private:
  Options options_;
};

}  // namespace vaetl::transfer
