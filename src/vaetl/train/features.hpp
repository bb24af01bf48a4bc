// Features of examples: what an encoder, or any of a model's layer groups, makes of them, computed once. In evaluation
// mode, without gradients or augmentation, with the preprocessing that the weights carry.
//
//   const Dataset features = extract(*model, fashion.train);                                     // encode()
//   const Dataset both = extract(*model, fashion.train, {.groups = {"encoder.1", "encoder.2"}});
//   use(both.column("features"), both.labels());
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "vaetl/core/config.hpp"
#include "vaetl/data/pipeline.hpp"
#include "vaetl/nn/model.hpp"

namespace vaetl {

struct FeatureOptions {
  std::vector<std::string> groups =
      {};  // patterns over layer groups, side by side from input to output; none: encode()
  // Of what is no vector: "mean" over pixels or over the steps before the end; "last", the last step of sequences, of
  // pictures the mean; "flatten".
  std::string pool = "mean";
  std::int64_t batch_size = 500;
  static constexpr auto fields() {
    using O = FeatureOptions;
    return std::tuple{field("groups", &O::groups, "layer groups whose outputs are the features; none: the encoder's"),
                      choice("pool", &O::pool, "of pictures and sequences", {"mean", "last", "flatten"}),
                      field("batch_size", &O::batch_size, "examples a batch", between(1, 1e6))};
  }
};

// The first stream in storage order with the field "features", float32 (N, F) on the CPU; all other fields stay.
// ConfigError for a model that is no Encoder, and for groups that it does not have or encode() does not run.
Dataset extract(Model& model, const Pipeline& data, const FeatureOptions& options = {});

// The same, remembered by what the features depend on: weights, preprocessing, options and the data's values. With a
// folder they are kept there as safetensors files, for other processes too, and otherwise in memory.
class FeatureCache {
 public:
  explicit FeatureCache(std::filesystem::path folder = {}) : folder_(std::move(folder)) {}
  Dataset extract(Model& model, const Dataset& data, const FeatureOptions& options = {});

 private:
  std::filesystem::path folder_;
  std::map<std::string, at::Tensor> known_;  // where there is no folder
};

// The preprocessing that a training on these data begins with: what the data ask for, or else the model's own, or else
// the standard mapping, fitted. The model carries it from then on.
Preprocess fit_preprocess(Model& model, const Pipeline& data);

}  // namespace vaetl
