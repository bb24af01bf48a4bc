// Everything trains alike.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class Full final : public Method {
 public:
  static constexpr std::string_view name = "full";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  explicit Full(const Options&) {}
  About about() const override {
    return {.text = "the model's weights and a new head, all trained alike from the start",
            .paper = "Yosinski et al., arXiv:1411.1792",
            .more =
                "The source is a starting point and nothing else. It pays with many labels, or where the task is\n"
                "far from the source's; with few, the features may be forgotten before the head has learnt to use\n"
                "them (see lp_ft, fine_tune)."};
  }
  Json patch() const override { return Json::object(); }
};

}  // namespace vaetl::transfer
