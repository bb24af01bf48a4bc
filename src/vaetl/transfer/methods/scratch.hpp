// The same architecture from fresh weights.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class Scratch final : public Method {
 public:
  static constexpr std::string_view name = "scratch";
  struct Options {
    static constexpr auto fields() { return std::tuple{}; }
  };
  explicit Scratch(const Options&) {}
  About about() const override {
    return {.text = "the same architecture from fresh weights: what a transfer is compared with",
            .paper = {},
            .more =
                "The source's description is built and none of its weights are loaded. What another method gains\n"
                "over this is what the source brings."};
  }
  Json patch() const override { return {{"transfer", {{"weights", false}}}}; }
};

}  // namespace vaetl::transfer
