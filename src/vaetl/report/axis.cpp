#include "vaetl/report/axis.hpp"

#include <algorithm>
#include <cmath>

#include "vaetl/report/html.hpp"

namespace vaetl {
namespace {

constexpr double label_room = 46;  // the width of a label of four characters in the largest type

// 1, 2 or 5 times a power of ten, the least that is not below `raw`.
double round_step(double raw) {
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

// With the decimals that the step needs; thousands as k where they are round.
std::string tick_label(double value, double step) {
  if (step >= 1000 && std::fmod(value, 1000) == 0 && value != 0) return html::number(value / 1000) + "k";
  return html::fixed(value, std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9))));
}

}  // namespace

Axis Axis::round(double low, double high, double from, double to, int count) {
  Axis axis;
  axis.from_ = from, axis.to_ = to;
  const double size = std::max({std::abs(low), std::abs(high), 1e-12});
  if (high - low < 1e-9 * size) low -= 0.05 * size, high += 0.05 * size;
  const double step = round_step((high - low) / count);
  axis.low_ = low, axis.high_ = high;
  const auto last = static_cast<std::int64_t>(std::floor(high / step + 1e-9));
  for (auto i = static_cast<std::int64_t>(std::ceil(low / step - 1e-9)); i <= last; ++i) {
    const double value = static_cast<double>(i) * step;
    axis.ticks_.push_back({axis.place(value), tick_label(value, step)});
  }
  return axis;
}

Axis Axis::at_values(const std::vector<double>& values, bool log, double from, double to) {
  Axis axis;
  axis.from_ = from, axis.to_ = to, axis.log_ = log;
  axis.low_ = values.front(), axis.high_ = values.back();
  for (double value : values) {
    const double place = axis.place(value);
    if (axis.ticks_.empty() || place - axis.ticks_.back().place >= label_room) {
      axis.ticks_.push_back({place, html::number(value)});
    }
  }
  return axis;
}

double Axis::place(double value) const {
  const auto scaled = [&](double v) { return log_ ? std::log(v) : v; };
  const double range = scaled(high_) - scaled(low_);
  const double share = range > 0 ? (scaled(value) - scaled(low_)) / range : 0.5;
  return from_ + share * (to_ - from_);
}

}  // namespace vaetl
