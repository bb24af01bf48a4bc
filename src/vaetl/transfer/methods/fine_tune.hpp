// The head first, then all with discriminative rates.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class FineTune final : public Method {
 public:
  static constexpr std::string_view name = "fine_tune";
  struct Options {
    double head_first = 0.2;
    double layer_decay = 0.5;
    static constexpr auto fields() {
      return std::tuple{
          field("head_first", &Options::head_first, "share of training in which the head trains alone",
                between(0, 0.99)),
          field("layer_decay", &Options::layer_decay,
                "then a layer group's rate is so many times that of the next, the head's being 1", between(1e-6, 1))};
    }
  };
  explicit FineTune(const Options& options) : options_(options) {}
  About about() const override {
    return {.text = "the head first, then all of it, early layers at lower rates (the default)",
            .paper = "Howard and Gugger, arXiv:2002.04688 (fine_tune); Howard and Ruder, arXiv:1801.06146, section 3.2",
            .more =
                "A fresh head sends large, random gradients back. So the backbone stands still for the share\n"
                "head_first of training, and then everything trains, each layer group at layer_decay times the\n"
                "rate of the one after it: early layers are the most general and need the least change.\n"
                "A sound choice where nothing is known of the task. Costs what training everything costs."};
  }
  Json patch() const override {
    return {{"transfer", {{"head_first", options_.head_first}, {"layer_decay", options_.layer_decay}}}};
  }

 private:
  Options options_;
};

}  // namespace vaetl::transfer
