// The section "callbacks" of a recipe, and the callback that draws. Internal to recipe, but for the names.
//
//   "callbacks": ["csv", {"name": "tensorboard", "histograms": 5}, {"name": "pictures", "every": 2}]
//
// A program's own joins by registry<Callback>().add<Mine>().
#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "vaetl/train/callbacks.hpp"

namespace vaetl::recipe {

// pictures/epoch-N.png: pictures that the model makes of the same noise each time, or examples above and what it makes
// of them below (the validation data, or else the first stream). They are handed to the tensorboard callback as well.
// Training is not changed: neither modes, nor random numbers, nor weights.
class Pictures final : public Callback {
 public:
  static constexpr std::string_view name = "pictures";
  struct Options {
    std::int64_t every = 1;
    std::int64_t count = 64;
    std::string what = "auto";
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{
          field("every", &O::every, "epochs from one picture to the next", at_least(1)),
          field("count", &O::count, "pictures made, or examples rebuilt", between(1, 1000)),
          choice("what", &O::what, "auto: reconstructions where the model encodes and decodes, samples otherwise",
                 {"auto", "samples", "reconstructions"})};
    }
  };
  explicit Pictures(Options options) : options_(std::move(options)), every_(options_.every) {}
  // ConfigError for a model that makes no pictures of the kind that is asked for.
  void check(const Model& model) const;
  void on_begin(vaetl::Progress& progress) override;
  void on_epoch(vaetl::Progress& progress) override;

 private:
  at::Tensor draw(Model& model, const Pipeline& data) const;

  Options options_;
  EveryEpochs every_;
};

// The callback of train and, once the model is trained, its latents for the projector beside the events.
class TensorBoard final : public callbacks::TensorBoard {
 public:
  struct Options {
    std::int64_t histograms = 1;
    bool projector = true;
    static constexpr auto fields() {
      return std::tuple{field("histograms", &Options::histograms,
                              "epochs between histograms of the weights by layer group; 0: none", at_least(0)),
                        field("projector", &Options::projector,
                              "at the end, of an encoder: latents of 500 examples for TensorBoard's projector")};
    }
  };
  explicit TensorBoard(Options options)
      : callbacks::TensorBoard({.histograms = options.histograms}), projector_(options.projector) {}
  bool projector() const { return projector_; }

 private:
  bool projector_;
};

// ConfigError for what does not fit the model.
std::vector<std::shared_ptr<Callback>> make_callbacks(const std::vector<Spec<Callback>>& specs, const Model& model);
bool wants_projector(const std::vector<std::shared_ptr<Callback>>& callbacks);

}  // namespace vaetl::recipe
