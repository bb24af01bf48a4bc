// The head solved, then everything fine-tuned.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class LpFt final : public Method {
 public:
  static constexpr std::string_view name = "lp_ft";
  struct Options {
    double lr = 1e-4;
    double layer_decay = 1;
    static constexpr auto fields() {
      return std::tuple{field("lr", &Options::lr, "learning rate of the fine-tuning, which starts near an optimum",
                              between(1e-9, 1e3)),
                        field("layer_decay", &Options::layer_decay,
                              "a layer group's rate as a factor on that of the next", between(1e-6, 1))};
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
    return {{"transfer", {{"solve_head", Json::object()}, {"layer_decay", options_.layer_decay}}},
            {"trainer", {{"optimizer", {{"name", "adamw"}, {"lr", options_.lr}}}}}};
  }

 private:
  Options options_;
};

}  // namespace vaetl::transfer
