// Everything trains but batch norm.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class BnFrozen final : public Method {
 public:
  static constexpr std::string_view name = "bn_frozen";
  struct Options {
    std::string norm = "frozen";
    static constexpr auto fields() {
      return std::tuple{choice("norm", &Options::norm,
                               "statistics: they stand still; frozen: scale and shift stand still too",
                               {"statistics", "frozen"})};
    }
  };
  explicit BnFrozen(Options options) : options_(std::move(options)) {}
  About about() const override {
    return {.text = "everything trains but the backbone's batch norm, which keeps the source's statistics",
            .paper = "as in detection: Ren et al., arXiv:1504.06066; He et al., arXiv:1512.03385, appendix A",
            .more =
                "A batch of few examples estimates means and variances badly, and running statistics that follow\n"
                "them drift from what the weights were trained with. A key of its own for every method:\n"
                "transfer.norm=frozen."};
  }
  Json patch() const override { return {{"transfer", {{"norm", options_.norm}}}}; }

 private:
  Options options_;
};

}  // namespace vaetl::transfer
