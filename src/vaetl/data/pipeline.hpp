// What fit, evaluate and extract take: named streams of data with their order and augmentation. A Dataset alone is one.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vaetl/data/preprocess.hpp"

namespace vaetl {

struct Stream {
  std::string name = "train";
  Dataset data;
  std::int64_t batch_size = 0;    // 0: the Trainer's
  std::string order = "shuffle";  // or sequential
  std::int64_t views = 1;         // 2: "input" and "input.1", independently augmented
  std::vector<Spec<Transform>> augment = {};
};

struct Pipeline {
  Pipeline(Dataset train);  // NOLINT: a dataset is a pipeline of one stream
  explicit Pipeline(std::vector<Stream> streams);
  const Stream& stream(std::string_view name) const;  // DataError lists the streams there are

  std::vector<Stream> streams;
  std::vector<Spec<Transform>> preprocess = {};  // to be fitted; empty: the model's own, or the standard mapping
  std::optional<Dataset> validation = {};
};

}  // namespace vaetl
