#include "vaetl/train/bootstrap.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/metrics/metric.hpp"
#include "vaetl/train/evaluation_mode.hpp"

namespace vaetl {
namespace {

// uint8 (count, N): how often each example was drawn.
at::Tensor draw_resamples(std::int64_t examples, std::int64_t count, std::uint64_t seed) {
  at::Tensor drawn = at::empty({count, examples}, at::kByte);
  for (std::int64_t i = 0; i < count; ++i) {
    auto generator = make_generator(random_key(seed, Purpose::evaluate, i));
    const at::Tensor index = at::randint(examples, {examples}, generator, at::kLong);
    drawn[i].copy_(at::bincount(index, {}, examples).clamp_max_(255));
  }
  return drawn;
}

struct Resampled {
  std::string name;
  std::vector<std::shared_ptr<Metric>> scorers = {};  // one a resample

  Percentiles interval() const {
    const at::Tensor values = at::empty({std::ssize(scorers)}, at::kDouble);
    for (std::size_t i = 0; i < scorers.size(); ++i) values[static_cast<std::int64_t>(i)] = scorers[i]->result();
    const at::Tensor ends = at::quantile(values, at::tensor({0.025, 0.975}, at::kDouble));
    return {ends[0].item<double>(), ends[1].item<double>()};
  }
};

std::vector<Resampled> scorers_of(const std::vector<std::string>& metrics, std::int64_t count) {
  std::vector<Resampled> all;
  for (const auto& name : metrics) {
    if (make_metric(name, "bootstrap")->compares_with_training()) continue;
    auto& one = all.emplace_back(Resampled{name});
    for (std::int64_t i = 0; i < count; ++i) one.scorers.push_back(make_metric(name));
  }
  return all;
}

}  // namespace

std::map<std::string, Percentiles> bootstrap(Model& model, const Dataset& data, const std::vector<std::string>& metrics,
                                             const BootstrapOptions& given) {
  const auto options = from_json<BootstrapOptions>(to_json(given), "bootstrap");
  if (data.info().overlap > 0) {
    throw DataError({"bootstrap", "examples that stand for themselves", "windows of a series, which overlap",
                     "measure intervals by parts of the data"});
  }
  std::vector<Resampled> all = scorers_of(metrics, options.count);
  const at::Tensor drawn = draw_resamples(data.size(), options.count, options.seed);
  const EvaluationNoise noise(device_of(model));
  std::int64_t from = 0;
  visit_batches(model, data, [&](Pass& pass, Batch& batch) {
    Fields& fields = batch.begin()->second;
    const std::int64_t size = fields.size();
    const at::Tensor own = fields.has("weight") ? fields["weight"] : at::ones({size}, fields.input().device());
    for (std::int64_t i = 0; i < options.count; ++i) {
      fields.set("weight", own * drawn[i].narrow(0, from, size).to(own.device(), own.scalar_type()));
      for (Resampled& metric : all) metric.scorers[static_cast<std::size_t>(i)]->update(pass);
    }
    from += size;
    if (given.progress) given.progress(static_cast<double>(from) / static_cast<double>(data.size()));
  });
  std::map<std::string, Percentiles> intervals;
  for (const Resampled& metric : all) intervals[metric.name] = metric.interval();
  return intervals;
}

}  // namespace vaetl
