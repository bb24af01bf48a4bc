// The curves of a schedule, each its options and its value. x is the training done so far and X all of it, both in the
// curve's unit: the share of training (X = 1), epochs or steps. Where there is a warm-up of w units, the value climbs
// from 0 along a line to what the curve begins with, and t = x − w is what the curve sees; `step` alone counts from the
// start of training, warm-up included, so that its epochs are those of the training.
#pragma once
#include <string>
#include <vector>

#include "vaetl/core/config.hpp"

namespace vaetl::curves {

inline constexpr Choices units = {"training", "epochs", "steps"};

template <class O>
constexpr auto timing_fields() {
  return std::tuple{field("warmup", &O::warmup, "how long the value climbs from 0", at_least(0)),
                    choice("unit", &O::unit, "of every length: the share of training, epochs or steps", units)};
}

// The value itself.
struct Constant {
  double value = 0;
  double warmup = 0;
  std::string unit = "training";
  double at(double x, double whole) const;
  static constexpr auto fields() {
    using O = Constant;
    return std::tuple_cat(std::tuple{field("value", &O::value, "the number")}, timing_fields<O>());
  }
};

// from + (to − from) t / over, then `to`
struct Linear {
  double from = 0, to = 1;
  double over = 0;  // 0: all that is left of training
  double warmup = 0;
  std::string unit = "training";
  double at(double x, double whole) const;
  static constexpr auto fields() {
    using O = Linear;
    return std::tuple_cat(
        std::tuple{field("from", &O::from, "the value it begins with"), field("to", &O::to, "the value it ends with"),
                   field("over", &O::over, "how long it takes; 0: to the end", at_least(0))},
        timing_fields<O>());
  }
};

// floor + (1 − floor) ½ (1 + cos π τ / T), τ the time since the last restart, T this period: arXiv:1608.03983, eq. 5
struct Cosine {
  double floor = 0;
  double period = 0;      // of the first fall; 0: one, to the end of training
  double multiplier = 1;  // each period is so many times as long as the one before
  double warmup = 0;
  std::string unit = "training";
  void validate() const;
  double at(double x, double whole) const;
  static constexpr auto fields() {
    using O = Cosine;
    return std::tuple_cat(
        std::tuple{
            field("floor", &O::floor, "the lowest value", between(0, 1)),
            field("period", &O::period, "length of the first fall, after which it restarts at 1; 0: no restart",
                  at_least(0)),
            field("multiplier", &O::multiplier, "each period is so many times as long as the last", between(1, 1000))},
        timing_fields<O>());
  }
};

// factor ^ (how often `every` has passed), or ^ (how many of the points in `at` have)
struct Step {
  double every = 0;
  std::vector<double> points = {};
  double factor = 0.1;
  double warmup = 0;
  std::string unit = "training";
  double at(double x, double whole) const;
  static constexpr auto fields() {
    using O = Step;
    return std::tuple_cat(
        std::tuple{field("every", &O::every, "length between two falls, from the start of training", at_least(0)),
                   field("at", &O::points, "in place of every: when it falls", at_least(0)),
                   field("factor", &O::factor, "what is left after a fall", at_least(0))},
        timing_fields<O>());
  }
  void validate() const;
};

// factor ^ t: with unit "training" the factor is the value at the end
struct Exponential {
  double factor = 0.01;
  double warmup = 0;
  std::string unit = "training";
  double at(double x, double whole) const;
  static constexpr auto fields() {
    using O = Exponential;
    return std::tuple_cat(
        std::tuple{field("factor", &O::factor, "what is left after one unit: an epoch, a step, the training",
                         between(1e-30, 1e30))},
        timing_fields<O>());
  }
};

// Rises along half a cosine from 1 / div to 1 until the share pct_start, then falls along another one to
// 1 / (div · final_div): arXiv:1708.07120 as fastai and PyTorch anneal it
struct OneCycle {
  static constexpr std::string_view unit = "training";
  double pct_start = 0.3, div = 25, final_div = 1e4;
  double at(double x, double whole) const;
  static constexpr auto fields() {
    using O = OneCycle;
    return std::tuple{field("pct_start", &O::pct_start, "share of training in which it rises", between(0, 0.999)),
                      field("div", &O::div, "it begins with 1 / div", at_least(1)),
                      field("final_div", &O::final_div, "it ends with 1 / (div * final_div)", at_least(1))};
  }
};

// 2 / (1 + exp(−γ x)) − 1: arXiv:1505.07818, section 5.2.2
struct Dann {
  static constexpr std::string_view unit = "training";
  double gamma = 10;
  double at(double x, double whole) const;
  static constexpr auto fields() {
    return std::tuple{field("gamma", &Dann::gamma, "how fast it rises to 1", at_least(0))};
  }
};

}  // namespace vaetl::curves
