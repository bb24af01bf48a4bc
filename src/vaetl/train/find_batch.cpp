#include "vaetl/train/find_batch.hpp"

#include <c10/util/Exception.h>

#include <optional>

#include "vaetl/core/memory.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/train/time_steps.hpp"

namespace vaetl {
namespace {

// As allocators say it, on the CPU and on CUDA.
bool lacks_memory(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.find("out of memory") != std::string::npos || text.find("not enough memory") != std::string::npos ||
         text.find("can't allocate memory") != std::string::npos;
}

// Examples in a typical step: an epoch's last batch may be smaller, and one that is alone is the whole set.
std::int64_t examples_a_step(const Pipeline& data, std::int64_t batch_size) {
  return std::min(batch_size, data.streams.front().data.size());
}

// Empty where the batch does not fit in memory.
std::optional<BatchSizes::Point> measure(const TrainerOptions& options, const std::shared_ptr<Model>& model,
                                         const std::shared_ptr<Objective>& objective, const Pipeline& data,
                                         const Tuning& tuning, double seconds) {
  StepTime time;
  try {
    time = time_steps(options, model, objective, data, tuning, seconds);
  } catch (const std::bad_alloc&) {
    return std::nullopt;
  } catch (const c10::Error& error) {
    if (!lacks_memory(error)) throw;
    return std::nullopt;
  }
  return BatchSizes::Point{
      .batch_size = options.batch_size,
      .samples_per_second = static_cast<double>(examples_a_step(data, options.batch_size)) / time.seconds,
      .seconds_a_step = time.seconds,
      .peak_mb = time.peak_mb};
}

// Twice the batch takes about twice the memory; asked before, since a system that runs out of it kills.
std::string would_not_fit(const BatchSizes::Point& last, const TrainerOptions& options) {
  const double available = available_memory_mb(), needed = 2 * last.peak_mb;
  if (available == 0 || options.device.starts_with("cuda") || needed < 0.8 * available) return {};
  return fmt::format("a batch of {} would take about {:.0f} MB, {:.0f} MB are available",
                     thousands(2 * last.batch_size), needed, available);
}

}  // namespace

bool stopped_growing(const std::vector<BatchSizes::Point>& points, double growth) {
  if (points.size() < 3) return false;
  const double before = points[points.size() - 3].samples_per_second;
  return points.back().samples_per_second < growth * before &&
         points[points.size() - 2].samples_per_second < growth * before;
}

std::int64_t suggested_batch(const std::vector<BatchSizes::Point>& points, double nearly) {
  double best = 0;
  for (const auto& point : points) best = std::max(best, point.samples_per_second);
  for (const auto& point : points) {
    if (point.samples_per_second >= nearly * best) return point.batch_size;
  }
  return 0;
}

Json BatchSizes::json() const {
  Json list = Json::array();
  for (const Point& point : points) {
    list.push_back({{"batch_size", point.batch_size},
                    {"samples_per_second", point.samples_per_second},
                    {"seconds_a_step", point.seconds_a_step},
                    {"peak_mb", point.peak_mb}});
  }
  return {{"suggestion", suggestion > 0 ? Json(suggestion) : Json()}, {"ended", ended}, {"points", list}};
}

BatchSizes find_batch(const TrainerOptions& given, const Model& model,
                      const std::function<std::shared_ptr<Objective>()>& make_objective, const Pipeline& data,
                      const Tuning& tuning, const FindBatchOptions& how) {
  Pipeline trial = data;
  trial.validation.reset();
  trial.streams.front().batch_size = 0;
  const std::int64_t set = trial.streams.front().data.size(), largest = std::min(how.largest, set);
  TrainerOptions options = given;
  BatchSizes sizes;
  for (std::int64_t batch = std::min(how.smallest, largest); sizes.ended.empty(); batch *= 2) {
    options.batch_size = batch;
    options.accumulate = 1;
    const auto point = measure(options, clone(model), make_objective(), trial, tuning, how.seconds);
    if (!point) {
      sizes.ended = fmt::format("a batch of {} does not fit in memory", thousands(batch));
      break;
    }
    sizes.points.push_back(*point);
    if (2 * batch > largest) {
      sizes.ended = largest == set ? fmt::format("the set has {} examples", thousands(set)) : "the largest was reached";
    } else if (stopped_growing(sizes.points, how.growth)) {
      sizes.ended = "larger batches are not faster";
    } else {
      sizes.ended = would_not_fit(*point, options);
    }
  }
  sizes.suggestion = suggested_batch(sizes.points, how.nearly);
  return sizes;
}

}  // namespace vaetl
