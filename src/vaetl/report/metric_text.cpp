#include "vaetl/report/metric_text.hpp"

#include "vaetl/report/html.hpp"

namespace vaetl {

MetricText::MetricText(std::string metric, std::optional<double> largest)
    : metric_(std::move(metric)), percent_(metric_.find("accuracy") != std::string::npos) {
  if (percent_) decimals_ = 1;
  if (!percent_ && largest) decimals_ = html::decimals(*largest);
}

std::string MetricText::value(double v) const {
  return decimals_ ? html::fixed(scale(v), *decimals_) : html::number(v);
}

std::string MetricText::difference(double v) const {
  if (decimals_) return html::fixed(scale(v), *decimals_, /*plus=*/true);
  return (v > 0 ? "+" : "") + html::number(v);
}

std::string MetricText::with_unit(double v) const { return value(v) + (percent_ ? "\u00a0%" : ""); }

std::string MetricText::name() const { return metric_ + (percent_ ? " (%)" : ""); }

std::string MetricText::points() const { return percent_ ? "percentage points" : ""; }

}  // namespace vaetl
