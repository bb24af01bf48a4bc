// A linear head on frozen features, by gradient descent.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class Probe final : public Method {
 public:
  static constexpr std::string_view name = "probe";
  struct Options {
    double lr = 0.01;
    static constexpr auto fields() {
      return std::tuple{field("lr", &Options::lr, "learning rate: a linear head alone bears, and needs, a higher one",
                              between(1e-9, 1e3))};
    }
  };
  explicit Probe(const Options& options) : options_(options) {}
  About about() const override {
    return {.text = "the model's weights stand still, a new linear head is trained on their features",
            .paper = "Alain and Bengio, arXiv:1610.01644",
            .more =
                "Nothing of the backbone changes, batch norm and dropout included. Its features are computed once,\n"
                "so training costs what training the head alone costs. The linear head is trained by the recipe's\n"
                "optimizer; linear_probe solves it instead. With augmentation the backbone runs at every step."};
  }
  Json patch() const override {
    return {{"transfer", {{"freeze", {"backbone"}}}},
            {"trainer", {{"optimizer", {{"name", "adamw"}, {"lr", options_.lr}}}}}};
  }

 private:
  Options options_;
};

}  // namespace vaetl::transfer
