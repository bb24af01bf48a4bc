#include "vaetl/core/curves.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vaetl::curves {
namespace {

// Whether a moment has come is decided with a margin: 0.3 / 0.1 is a little less than 3.
constexpr double margin = 1e-9;

double times_passed(double x, double every) { return std::floor(x / every + margin); }

double half_cosine(double from, double to, double share) {
  return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * share));
}

// The share of this period that has passed.
double share_of_period(double t, double period, double multiplier) {
  if (multiplier == 1) return std::max(0.0, t / period - times_passed(t, period));
  const double grown = 1 + t / period * (multiplier - 1);  // multiplierⁿ at the n-th restart
  const double restarts = std::floor(std::log(grown) / std::log(multiplier) + margin);
  const double scale = std::pow(multiplier, restarts);
  return std::max(0.0, (grown - scale) / (scale * (multiplier - 1)));
}

// The value during the warm-up, which leads to `start`; none afterwards.
std::optional<double> warming(double warmup, double x, double start) {
  if (x >= warmup) return std::nullopt;
  return x / warmup * start;
}

double left_of(double warmup, double whole) { return std::max(whole - warmup, 1e-300); }

}  // namespace

double Constant::at(double x, double) const { return warming(warmup, x, value).value_or(value); }

double Linear::at(double x, double whole) const {
  if (const auto value = warming(warmup, x, from)) return *value;
  const double length = over > 0 ? over : left_of(warmup, whole);
  return from + (to - from) * std::min(1.0, (x - warmup) / length);
}

double Cosine::at(double x, double whole) const {
  if (const auto value = warming(warmup, x, 1)) return *value;
  const double t = x - warmup;
  const double share = period > 0 ? share_of_period(t, period, multiplier) : std::min(1.0, t / left_of(warmup, whole));
  return half_cosine(1, floor, share);
}

double Step::at(double x, double) const {
  const auto passed = [&](double point) { return x >= point * (1 - margin); };
  const double falls =
      every > 0 ? times_passed(x, every) : static_cast<double>(std::count_if(points.begin(), points.end(), passed));
  const double value = std::pow(factor, falls);
  return warming(warmup, x, value).value_or(value);
}

void Cosine::validate() const {
  if (period > 0 || multiplier == 1) return;
  throw ConfigError({"cosine.multiplier", "a period, of which each next one is so many times as long", "none",
                     "set period, or leave multiplier out"});
}

void Step::validate() const {
  if ((every > 0) != points.empty()) {
    throw ConfigError({"step", "either \"every\" or \"at\"", every > 0 ? "both" : "neither", {}});
  }
}

double Exponential::at(double x, double) const { return warming(warmup, x, 1).value_or(std::pow(factor, x - warmup)); }

double OneCycle::at(double x, double) const {
  if (x < pct_start) return half_cosine(1 / div, 1, x / pct_start);
  return half_cosine(1, 1 / (div * final_div), (x - pct_start) / (1 - pct_start));
}

double Dann::at(double x, double) const { return 2 / (1 + std::exp(-gamma * x)) - 1; }

}  // namespace vaetl::curves
