// The columns of a table as a model's input: (N, F) as the reader csv has them → (N, F′), in this order
//   1. numeric columns, (x − mean) / std, a missing value as the mean or the (lower) median;
//   2. with `indicate_missing`, 1 where a numeric column is missing, for those in which training data are;
//   3. categorical columns, one 0 or 1 a category of the training data, and one for missing where those have such rows.
// A text that the training data lack is all zeros, and so is a missing one that they never miss. Moments are those of
// the values that are there; a constant column has std 1. Tensors that no reader described are numeric throughout.
#pragma once
#include <string>
#include <vector>

#include "vaetl/data/transform.hpp"

namespace vaetl::transforms {

class Columns final : public Transform {
 public:
  static constexpr const char* name = "columns";
  struct Column {
    std::string kind = "numeric";
    double mean = 0, std = 1, fill = 0;
    std::int64_t categories = 0;
    bool missing = false;
    static constexpr auto fields() {
      using C = Column;
      return std::tuple{field("kind", &C::kind, "numeric or categorical"),
                        field("mean", &C::mean, "of its numbers"),
                        field("std", &C::std, "of its numbers", between(1e-300, 1e300)),
                        field("fill", &C::fill, "stands for a missing number"),
                        field("categories", &C::categories, "how many there are", between(0, 1e6)),
                        field("missing", &C::missing, "whether training data miss values")};
    }
  };
  struct Options {
    std::string impute = "mean";
    bool indicate_missing = false;
    std::vector<Column> columns = {};
    static constexpr auto fields() {
      using O = Options;
      return std::tuple{choice("impute", &O::impute, "what stands for a missing number", {"mean", "median"}),
                        field("indicate_missing", &O::indicate_missing, "put out where numbers are missing"),
                        field("columns", &O::columns, "empty: fitted on the training data")};
    }
  };
  explicit Columns(Options options);
  void apply(Fields& fields, at::Generator& generator) const override;
  Json fit(const Dataset& train) const override;
  std::optional<std::vector<std::int64_t>> shape_before(const std::vector<std::int64_t>&) const override { return {}; }
  std::optional<Range> range_before(std::optional<Range>) const override { return {}; }

 private:
  at::Tensor scaled(const at::Tensor& numbers, const at::Tensor& absent) const;
  at::Tensor one_hot(const at::Tensor& codes) const;

  Options options_;
  at::Tensor numeric_, indicated_, categorical_;  // int64: columns of the input; indicated_ among the numeric
  at::Tensor mean_, factor_, fill_;               // float32 (numeric columns)
  at::Tensor first_, counts_, missing_;           // int64 (categorical columns): places in the one-hot part
  std::int64_t places_ = 0;                       // of the one-hot part; the place behind it is dropped
};

}  // namespace vaetl::transforms
