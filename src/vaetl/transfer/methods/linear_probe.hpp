// A linear head on frozen features, solved.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class LinearProbe final : public Method {
 public:
  static constexpr std::string_view name = "linear_probe";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  explicit LinearProbe(const Options&) {}
  About about() const override {
    return {.text = "the model's weights stand still, a new linear head is solved to its optimum on their features",
            .paper = "Alain and Bengio, arXiv:1610.01644; as evaluated by Kornblith et al., arXiv:1805.08974",
            .more =
                "Multinomial logistic regression by L-BFGS on the backbone's features, its L2 penalty chosen inside\n"
                "the training data. No learning rate; the knobs are those of transfer.solve_head. Nothing is trained\n"
                "after it, unless --steps or trainer.epochs ask for that.\n"
                "The measure of a source's features, and with very few labels often the best there is."};
  }
  Json patch() const override {
    return {{"transfer", {{"freeze", {"backbone"}}, {"solve_head", Json::object()}}},
            {"trainer", {{"epochs", 0}, {"steps", 0}}}};
  }
};

}  // namespace vaetl::transfer
