// Everything trains, drawn back to where it started.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class L2SpMethod final : public Method {
 public:
  static constexpr std::string_view name = "l2_sp";
  struct Options {
    double alpha = 0.001;
    double beta = 0.01;
    static constexpr auto fields() {
      return std::tuple{field("alpha", &Options::alpha, "pull of the backbone to the source's weights", at_least(0)),
                        field("beta", &Options::beta, "pull of the new head to 0", at_least(0))};
    }
  };
  explicit L2SpMethod(const Options& options) : options_(options) {}
  About about() const override {
    return {
        .text = "everything trains, and the backbone is drawn back to the source's weights",
        .paper = "Li, Grandvalet and Davoine, arXiv:1802.01483, equations 2 and 3",
        .more =
            "In place of weight decay, which draws to 0, the loss has alpha / 2 times the squared distance of the\n"
            "weights from the source's and beta / 2 times the squared weights of the new head. It pays where few\n"
            "labels would pull the weights far for little; alpha is worth a search: 0.001 to 1 in the paper, which\n"
            "trains with SGD; Adam, which scales gradients, wants less.\n"
            "Costs next to nothing beside training everything."};
  }
  Json patch() const override {
    const Json term{{"name", "l2_sp"}, {"alpha", options_.alpha}, {"beta", options_.beta}};
    return {{"trainer", {{"optimizer", {{"name", "adamw"}, {"weight_decay", 0}}}}}, {"objective", Json::array({term})}};
  }

 private:
  Options options_;
};

}  // namespace vaetl::transfer
