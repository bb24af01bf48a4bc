// How well candidates would serve a target task, by the scores of transfer/scores.hpp, without training any of them.
//
//   const auto cnn = rank_source(*zoo::load("fashion-mnist-simclr").model, mnist.train.take_per_class(50, 0),
//                               {"logme"});
//   cnn.scores.at("logme");
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "vaetl/train/features.hpp"
#include "vaetl/transfer/scores.hpp"

namespace vaetl {

struct RankedSource {
  std::int64_t features = 0;                                 // F
  std::map<std::string, std::optional<double>> scores = {};  // none: the source has no classes to tell it by
  double seconds = 0;                                        // of all of it
};

// The features are those that a new head would see: of the classifier that shares the source's encoder. LEEP and NCE
// read the source's own head where it has one. They are computed afresh where there is no cache. Throws what extract()
// does where the source does not fit the data.
RankedSource rank_source(Model& source, const Dataset& data, const std::vector<std::string>& scores,
                         FeatureCache* cache = nullptr);

}  // namespace vaetl
