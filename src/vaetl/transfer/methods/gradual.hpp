// From the head down, one layer group more at a time.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class GradualUnfreezing final : public Method {
 public:
  static constexpr std::string_view name = "gradual";
  struct Options {
    double every = 0;
    double over = 0.5;
    double layer_decay = 1 / 2.6;
    static constexpr auto fields() {
      return std::tuple{
          field("every", &Options::every, "epochs between two groups, 1 in the paper; 0: as over says", at_least(0)),
          field("over", &Options::over, "evenly, so that the last group thaws at this share of training",
                between(0, 0.99)),
          field("layer_decay", &Options::layer_decay,
                "a layer group's rate as a factor on that of the next, the head's being 1", between(1e-6, 1))};
    }
  };
  explicit GradualUnfreezing(const Options& options) : options_(options) {}
  About about() const override {
    return {.text = "the head first, then one layer group more at a time, from the last to the first",
            .paper = "Howard and Ruder, arXiv:1801.06146, sections 3.2 and 3.3",
            .more =
                "Thawing everything at once risks forgetting the source. A group thaws each `every` epochs; as few\n"
                "labels make epochs of a step or two, the default spreads the groups over a share of training\n"
                "instead. Optimiser and learning-rate curve go on through every thaw. The paper has it with\n"
                "discriminative rates (layer_decay)."};
  }
  Json patch() const override {
    return {
        {"transfer",
         {{"gradual", {{"every", options_.every}, {"over", options_.over}}}, {"layer_decay", options_.layer_decay}}}};
  }

 private:
  Options options_;
};

}  // namespace vaetl::transfer
