// Each layer group at its own rate.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class Discriminative final : public Method {
 public:
  static constexpr std::string_view name = "discriminative";
  struct Options {
    double layer_decay = 1 / 2.6;
    static constexpr auto fields() {
      return std::tuple{field("layer_decay", &Options::layer_decay,
                              "a layer group's rate as a factor on that of the next, the head's being 1",
                              between(1e-6, 1))};
    }
  };
  explicit Discriminative(const Options& options) : options_(options) {}
  About about() const override {
    return {.text = "everything trains from the start, early layers at lower rates",
            .paper = "Howard and Ruder, arXiv:1801.06146, section 3.2",
            .more =
                "Discriminative fine-tuning, or layer-wise decay of the learning rate. The paper divides by 2.6 from\n"
                "one layer to the next; deep networks are commonly trained with a factor of 0.65 to 0.95."};
  }
  Json patch() const override { return {{"transfer", {{"layer_decay", options_.layer_decay}}}}; }

 private:
  Options options_;
};

}  // namespace vaetl::transfer
