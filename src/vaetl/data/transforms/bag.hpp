// Token ids as how often each occurs: (N, T) int64 and `length` (N) → (N, V) float32, without padding. Ids beyond V
// count as unknown. With n the training texts and d(v) those that hold v,
//   counts   c(v);   binary  1 where c(v) > 0;   log  ln(1 + c(v));
//   idf      … × ln((1 + n) / (1 + d(v))) + 1;   normalise  … / ‖…‖₂.
// fit() takes V from the data's declared ids, or from the largest, and d(v) where idf is asked for.
#pragma once
#include <vector>

#include "vaetl/data/transform.hpp"

namespace vaetl::transforms {

class Bag final : public Transform {
 public:
  static constexpr const char* name = "bag";
  struct Options {
    std::string values = "counts";
    bool idf = false, normalise = false;
    std::int64_t size = 0;
    std::vector<double> weights = {};
    static constexpr auto fields() {
      return std::tuple{
          choice("values", &Options::values, "what stands for a token", {"counts", "binary", "log"}),
          field("idf", &Options::idf, "weigh rare tokens more"),
          field("normalise", &Options::normalise, "scale every text to length 1"),
          field("size", &Options::size, "V; 0: fitted on the training data", between(0, 1 << 24)),
          field("weights", &Options::weights, "of each token with idf; empty: fitted on the training data")};
    }
    void validate() const;
  };
  explicit Bag(Options options);
  // DataError for an input that is no token ids (N, T), ConfigError where it was never fitted.
  void apply(Fields& fields, at::Generator& generator) const override;
  Json fit(const Dataset& train) const override;
  std::optional<std::vector<std::int64_t>> shape_before(const std::vector<std::int64_t>&) const override { return {}; }
  std::optional<Range> range_before(std::optional<Range>) const override { return {}; }

 private:
  at::Tensor count(const Fields& fields, std::int64_t size) const;
  Options options_;
  at::Tensor weights_;  // float32 (V), with idf
};

}  // namespace vaetl::transforms
