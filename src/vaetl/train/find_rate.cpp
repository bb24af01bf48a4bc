#include "vaetl/train/find_rate.hpp"

#include <cmath>

#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

class WatchLoss final : public Callback {
 public:
  WatchLoss(FindRateOptions how, RateSweep& sweep) : how_(how), sweep_(sweep) {}

  // The step that has just been done was the (progress.step − 1)-th of the sweep.
  void on_log(Progress& progress) override {
    const double share = static_cast<double>(progress.step - 1) / static_cast<double>(progress.steps);
    const double loss = progress.scalars.at("loss");
    average_ = how_.smoothing * average_ + (1 - how_.smoothing) * loss;
    const double smoothed = average_ / (1 - std::pow(how_.smoothing, static_cast<double>(progress.step)));
    sweep_.points.push_back({how_.from * std::pow(how_.to / how_.from, share), loss, smoothed});
    if (progress.step == 1) first_ = least_ = smoothed;
    least_ = std::min(least_, smoothed);
    // Losses may be below 0: what is blown up is the distance from the least, against its size or the fall so far.
    const double size = std::max(std::abs(least_), std::abs(first_ - least_));
    if (progress.step >= 10 && smoothed > least_ + (how_.blow_up - 1) * size) {
      sweep_.blew_up = progress.stop = true;
    }
  }

 private:
  FindRateOptions how_;
  RateSweep& sweep_;
  double average_ = 0, first_ = 0, least_ = 0;
};

void check_sweep(const FindRateOptions& how) {
  const bool good = how.from > 0 && how.to > how.from && how.steps >= 10 && how.steps <= 10000;
  if (good) return;
  throw ConfigError({"find_rate",
                     "0 < from < to and 10 to 10000 steps",
                     fmt::format("from {}, to {}, {} steps", how.from, how.to, how.steps),
                     {}});
}

Spec<Optimizer> complete_optimizer(const Spec<Optimizer>& optimizer) {
  return registry<Optimizer>().complete(optimizer, "trainer.optimizer");
}

// Of complete options, what stands under "base"; none where the rate is the optimiser's own.
std::optional<Spec<Optimizer>> optimizer_below(const Json& options) {
  if (options.contains("lr") || !options.contains("base")) return std::nullopt;
  Spec<Optimizer> base;
  Codec<Spec<Optimizer>>::read(options.at("base"), "trainer.optimizer.base", base, {});
  return base;
}

}  // namespace

std::optional<double> learning_rate(const Spec<Optimizer>& optimizer) {
  const Json options = complete_optimizer(optimizer).options;
  if (const auto base = optimizer_below(options)) return learning_rate(*base);
  if (!options.contains("lr")) return std::nullopt;
  return options.at("lr").get<double>();
}

Spec<Optimizer> with_learning_rate(Spec<Optimizer> optimizer, double rate) {
  optimizer = complete_optimizer(optimizer);
  if (const auto base = optimizer_below(optimizer.options)) {
    optimizer.options["base"] = Codec<Spec<Optimizer>>::write(with_learning_rate(*base, rate));
  } else if (optimizer.options.contains("lr")) {
    optimizer.options["lr"] = rate;
  } else {
    throw ConfigError({"trainer.optimizer", "an optimiser with a rate, lr", quote(optimizer.name), {}});
  }
  return optimizer;
}

TrainerOptions for_trial(TrainerOptions options, std::int64_t steps) {
  const TrainerOptions plain;
  options.steps = steps;
  options.directory.clear();
  options.resume = plain.resume;
  options.monitor.clear();
  options.patience = options.keep = options.max_samples = options.checkpoint_every = 0;
  options.max_minutes = 0;
  options.graph = plain.graph;
  options.plateau.reset();
  options.on_divergence = plain.on_divergence;
  options.validate_every = steps;
  options.checks = false;
  return options;
}

std::optional<double> steepest_rate(const std::vector<RateSweep::Point>& points) {
  constexpr std::size_t reach = 3;  // each slope is over 2 · reach steps, so that the noise of a batch does not decide
  const auto least = std::min_element(points.begin(), points.end(),
                                      [](const auto& a, const auto& b) { return a.smoothed < b.smoothed; });
  const auto end = static_cast<std::size_t>(least - points.begin());
  std::optional<double> rate;
  double steepest = 0;
  for (std::size_t i = std::max(reach, points.size() / 10); i + reach <= end; ++i) {
    const auto &before = points[i - reach], &after = points[i + reach];
    const double slope = (after.smoothed - before.smoothed) / std::log(after.rate / before.rate);
    if (slope < steepest) steepest = slope, rate = points[i].rate;
  }
  return rate;
}

Json RateSweep::json() const {
  Json list = Json::array();
  for (const Point& point : points) {
    list.push_back({{"rate", point.rate}, {"loss", point.loss}, {"smoothed", point.smoothed}});
  }
  return {{"suggestion", suggestion ? Json(*suggestion) : Json()}, {"blew_up", blew_up}, {"points", list}};
}

RateSweep find_rate(const TrainerOptions& given, const Model& model, std::shared_ptr<Objective> objective,
                    const Pipeline& data, const Tuning& tuning, const FindRateOptions& how) {
  check_sweep(how);
  TrainerOptions options = for_trial(given, how.steps);
  options.optimizer = with_learning_rate(options.optimizer, how.from);
  options.lr_curve = curves::Exponential{.factor = how.to / how.from};
  options.log_every = 1;
  options.ema_decay = options.swa_from = 0;
  Pipeline trial = data;
  trial.validation.reset();
  RateSweep sweep;
  const auto watch = std::make_shared<WatchLoss>(how, sweep);
  try {
    Trainer(options, {watch}).fit(clone(model), std::move(objective), trial, tuning);
  } catch (const DivergedError&) {
    sweep.blew_up = true;
  }
  sweep.suggestion = steepest_rate(sweep.points);
  return sweep;
}

}  // namespace vaetl
