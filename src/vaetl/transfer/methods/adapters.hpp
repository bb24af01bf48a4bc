// A frozen backbone with small additions to its layers, which train with a new head.
#pragma once
#include "vaetl/transfer/method.hpp"

namespace vaetl::transfer {

// Parts of the recipe that all of them share. The additions start at 0 or 1 and are few: they bear a higher rate.
Json adapters_patch(const std::string& to, const Json& adapter, double lr);

class Lora final : public Method {
 public:
  static constexpr std::string_view name = "lora";
  struct Options {
    std::string to = "backbone";
    std::int64_t rank = 8;
    double alpha = 0;
    double lr = 3e-3;
    static constexpr auto fields() {
      return std::tuple{
          field("to", &Options::to, "layers and layer groups, by pattern"),
          field("rank", &Options::rank, "of what is added to a weight", between(1, 65536)),
          field("alpha", &Options::alpha, "what is added is scaled by alpha / rank; 0: as rank, by 1", between(0, 1e6)),
          field("lr", &Options::lr, "learning rate", between(1e-9, 1e3))};
    }
  };
  explicit Lora(Options options) : options_(std::move(options)) {}
  About about() const override {
    return {.text = "the weights stand still, low-rank changes of them train with a new head",
            .paper = "Hu et al., arXiv:2106.09685",
            .more =
                "Every weight W of the layers gets a change B A of rank `rank`, 0 at the start. Few parameters train,\n"
                "they are saved as a small delta beside the base, and can be merged into plain weights. Each step\n"
                "runs the whole network both ways, so it saves memory and disk rather than time."};
  }
  Json patch() const override {
    return adapters_patch(options_.to, {{"name", "lora"}, {"rank", options_.rank}, {"alpha", options_.alpha}},
                          options_.lr);
  }

 private:
  Options options_;
};

class Ia3 final : public Method {
 public:
  static constexpr std::string_view name = "ia3";
  struct Options {
    std::string to = "backbone";
    double lr = 3e-3;
    static constexpr auto fields() {
      return std::tuple{field("to", &Options::to, "layers and layer groups, by pattern"),
                        field("lr", &Options::lr, "learning rate", between(1e-9, 1e3))};
    }
  };
  explicit Ia3(Options options) : options_(std::move(options)) {}
  About about() const override {
    return {.text = "the weights stand still, a factor on every output of a layer trains with a new head",
            .paper = "Liu et al., arXiv:2205.05638, section 3.3",
            .more =
                "The smallest of the additions: a number for each output feature or channel of a layer, 1 at the\n"
                "start. It can strengthen and silence features, but make no new ones; merged it costs nothing."};
  }
  Json patch() const override { return adapters_patch(options_.to, {{"name", "ia3"}}, options_.lr); }

 private:
  Options options_;
};

class Bottleneck final : public Method {
 public:
  static constexpr std::string_view name = "bottleneck";
  struct Options {
    std::string to = "backbone";
    std::int64_t hidden = 0;
    double lr = 3e-3;
    static constexpr auto fields() {
      return std::tuple{field("to", &Options::to, "layers and layer groups, by pattern"),
                        field("hidden", &Options::hidden,
                              "width of the bottleneck; 0: a quarter of the layer's outputs", between(0, 65536)),
                        field("lr", &Options::lr, "learning rate", between(1e-9, 1e3))};
    }
  };
  explicit Bottleneck(Options options) : options_(std::move(options)) {}
  About about() const override {
    return {.text = "the weights stand still, small residual networks behind layers train with a new head",
            .paper = "Houlsby et al., arXiv:1902.00751, section 2.1",
            .more =
                "Behind each layer its output goes through a narrow layer and back and is added, 0 at the start.\n"
                "Unlike lora and ia3 it is not linear and cannot be merged, so it also costs when predicting."};
  }
  Json patch() const override {
    return adapters_patch(options_.to, {{"name", "bottleneck"}, {"hidden", options_.hidden}}, options_.lr);
  }

 private:
  Options options_;
};

}  // namespace vaetl::transfer
