// Everything trains, its feature maps held near the source's.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

class DeltaMethod final : public Method {
 public:
  static constexpr std::string_view name = "delta";
  struct Options {
    double alpha = 0.01;
    std::string channels = "attention";
    std::vector<std::string> groups = {"backbone"};
    static constexpr auto fields() {
      return std::tuple{
          field("alpha", &Options::alpha, "weight of the distance between feature maps", at_least(0)),
          choice("channels", &Options::channels, "how its channels weigh: attention or alike", {"attention", "alike"}),
          field("groups", &Options::groups, "layer groups, by pattern, whose outputs are compared")};
    }
  };
  explicit DeltaMethod(Options options) : options_(std::move(options)) {}
  About about() const override {
    return {.text = "everything trains, and what layer groups put out is held near what the source's put out",
            .paper = "Li et al., arXiv:1901.09229, section 3",
            .more =
                "What counts is what layers make of the data, not their weights: the loss has the squared distance of\n"
                "the feature maps from those of a frozen copy of the source, channel by channel, those the more\n"
                "weight without which the source does worse on the task. That needs a head that knows the task, so\n"
                "the head is solved first. Costs a forward pass of the source at every step beside training\n"
                "everything."};
  }
  Json patch() const override {
    const Json term{
        {"name", "delta"}, {"alpha", options_.alpha}, {"channels", options_.channels}, {"groups", options_.groups}};
    Json json{{"objective", Json::array({term})}};
    if (options_.channels == "attention") json["transfer"]["solve_head"] = Json::object();
    return json;
  }

 private:
  Options options_;
};

}  // namespace vaetl::transfer
