// Settings of a sweep or a search that are drawn at random.
#include <ATen/ops/rand.h>

#include <charconv>

#include "vaetl/core/random.hpp"
#include "vaetl/io/sha256.hpp"
#include "vaetl/recipe/sweep_parts.hpp"

namespace vaetl::recipe {
namespace {

constexpr std::int64_t tries_per_setting = 100;  // before it is believed that there are no more

// With four digits, which people can read and type, or as many more as the range is narrow.
Json rounded(double value, const RangeOptions& range) {
  const double narrow = std::max(std::abs(range.low), std::abs(range.high)) / (range.high - range.low);
  const int digits = std::clamp(4 + static_cast<int>(std::log10(narrow)), 4, 17);
  const std::string text = fmt::format("{:.{}g}", value, digits);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::clamp(value, range.low, range.high);
}

Json value_in(const RangeOptions& range, double share) {
  const double aside = range.whole ? 0.5 : 0, low = range.low - aside, high = range.high + aside;
  const double value = range.log ? low * std::pow(high / low, share) : low + (high - low) * share;
  if (!range.whole) return rounded(value, range);
  return static_cast<std::int64_t>(std::clamp(std::round(value), range.low, range.high));
}

std::uint64_t number_of_key(const std::string& key) { return std::stoull(sha256_hex(key).substr(0, 16), nullptr, 16); }

// The value of each key comes from its own random number, so a further key leaves the others as they are.
Json draw_setting(const ValueLists& values, const RandomOptions& random, std::uint64_t seed, std::int64_t number) {
  std::map<std::string, Json> setting;
  const auto share_of = [&](const std::string& key) {
    auto generator = make_generator(random_key(seed ^ number_of_key(key), Purpose::evaluate, number));
    return at::rand({1}, generator, at::TensorOptions(at::kDouble)).item<double>();
  };
  for (const auto& [key, choices] : values) {
    const auto index = static_cast<std::size_t>(share_of(key) * static_cast<double>(choices.size()));
    setting[key] = choices[std::min(index, choices.size() - 1)];
  }
  for (const auto& [key, range] : random.ranges) setting[key] = value_in(range, share_of(key));
  return setting;
}

}  // namespace

std::vector<Json> settings_of(const ValueLists& values, const std::optional<RandomOptions>& random,
                              std::uint64_t seed) {
  if (!random) return combinations(values);
  std::vector<Json> settings;
  std::set<std::string> seen;
  for (std::int64_t number = 0; number < tries_per_setting * random->count; ++number) {
    if (std::ssize(settings) == random->count) break;
    Json setting = draw_setting(values, *random, seed, number);
    if (seen.insert(setting.dump()).second) settings.push_back(std::move(setting));
  }
  return settings;
}

}  // namespace vaetl::recipe
