// Deterministic maps of values, for preprocessing.
#pragma once
#include <vector>

#include "vaetl/data/transform.hpp"

namespace vaetl::transforms {

// How files became the input (DatasetInfo::reader): a note that travels with the weights for whoever reads further
// files. A batch has been read already, so nothing is done to it.
class Read final : public Transform {
 public:
  static constexpr const char* name = "read";
  struct Options {
    Json reader = {};
    static constexpr auto fields() {
      return std::tuple{field("reader", &Options::reader, "the reader's name and options, with what it learnt")};
    }
  };
  explicit Read(const Options&) {}
  void apply(Fields&, at::Generator&) const override {}
};

// x′ = to₀ + (x − from₀) (to₁ − to₀) / (from₁ − from₀), any shape; restore() is its inverse. ConfigError for an empty
// range.
class Scale final : public Transform {
 public:
  static constexpr const char* name = "scale";
  struct Options {
    std::vector<double> from = {0, 255}, to = {0, 1};
    static constexpr auto fields() {
      return std::tuple{field("from", &Options::from, "range of the values, [low, high]"),
                        field("to", &Options::to, "range to map it to, [low, high]")};
    }
    void validate() const;
  };
  explicit Scale(Options options);
  void apply(Fields& fields, at::Generator& generator) const override;
  std::optional<ByteScale> of_bytes() const override {
    return ByteScale{static_cast<float>(factor_), static_cast<float>(offset_)};
  }
  at::Tensor restore(const at::Tensor& values) const override { return (values - offset_) / factor_; }
  std::optional<Range> range_before(std::optional<Range>) const override { return from_; }

 private:
  Range from_;
  double factor_, offset_;
};

// x′ = (x − mean) / std for each channel (N, C, …) or feature (N, F): of dimension 1. fit() takes both from the
// training data, std with division by the number of values and 1 where a channel is constant. DataError for another
// number of channels, ConfigError where it was never fitted. Of "target", (N, O) or (N) as (N, 1), it also sets
// "target.scale" (N, O), by which errors are in the target's own units; restore() is mean + std ŷ. Labels are left as
// they are.
class Standardise final : public Transform {
 public:
  static constexpr const char* name = "standardise";
  struct Options {
    std::vector<double> mean = {}, std = {};
    std::string of = "input";
    static constexpr auto fields() {
      return std::tuple{field("mean", &Options::mean, "of each channel; empty: fitted on the training data"),
                        field("std", &Options::std, "of each channel; empty: fitted on the training data", at_least(0)),
                        choice("field", &Options::of, "what is standardised", {"input", "target"})};
    }
    void validate() const;
  };
  explicit Standardise(Options options);
  void apply(Fields& fields, at::Generator& generator) const override;
  Json fit(const Dataset& train) const override;
  std::string key() const override { return options_.of; }
  at::Tensor restore(const at::Tensor& values) const override;
  std::optional<Range> range_before(std::optional<Range>) const override { return {}; }

 private:
  void check_fitted(const at::Tensor& values) const;
  Options options_;
  at::Tensor mean_, factor_, std_;  // float32 (C)
};

}  // namespace vaetl::transforms
