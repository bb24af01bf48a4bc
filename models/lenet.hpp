// LeNet in the form in which it is taught: convolutions without padding, each followed by a 2 × 2 max pool and relu,
// then dense layers (after LeCun et al., Proceedings of the IEEE 86(11), 1998, figure 2). LeNet-5's sizes are
// {.input = {1, 32, 32}, .channels = {6, 16}, .dense = {120, 84}}.
//
//   auto model = make<models::LeNet>({.input = {1, 28, 28}, .classes = 10});
#pragma once
#include "vaetl/models/backbone.hpp"

namespace vaetl::models {

// Parameters: conv1, conv2, …, fc1, …; the last fc is the head. Groups: conv1, conv2, …, fc1, …, head.
class LeNet final : public Backbone {
 public:
  static constexpr std::string_view name = "lenet";
  struct Options {
    std::vector<std::int64_t> input = {1, 28, 28}, channels = {10, 20};
    std::int64_t kernel = 5;
    std::vector<std::int64_t> dense = {50};
    nn::Insertions insert = {};
    std::int64_t classes = 10;
    std::vector<std::int64_t> head = {};
    static constexpr auto fields() {
      return std::tuple_cat(
          insert_fields<Options>(),
          std::tuple{field("input", &Options::input, "channels, height, width", sizes),
                     field("channels", &Options::channels, "channels of the convolutions", sizes),
                     field("kernel", &Options::kernel, "height and width of the convolutions", between(1, 31)),
                     field("dense", &Options::dense, "widths of the dense layers before the head", sizes),
                     field("classes", &Options::classes, "number of classes; 0: features alone", class_counts)},
          head_field<Options>());
    }
    void validate() const;
    nn::Size2 encoded_size() const;  // after the convolutions; ConfigError where a layer finds too small an image
  };
  explicit LeNet(const Options& options);
  ModelSpec classifier(std::int64_t classes) const override;

 private:
  Options options_;
};

}  // namespace vaetl::models
