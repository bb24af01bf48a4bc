#include "vaetl/report/json_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "vaetl/core/error.hpp"

namespace vaetl {
namespace {

// Larger numbers are no measurement, and drawing them would leave the range of double.
constexpr double largest = 1e100;

bool is_measurement(const Json& value) { return value.is_number() && std::abs(value.get<double>()) < largest; }

std::string child(const std::string& where, std::string_view key) { return fmt::format("{}: {}", where, key); }

}  // namespace

JsonView::JsonView(const Json& object, std::string where) : json_(&object), where_(std::move(where)) {
  if (!json_->is_object()) throw FileError({where_, "an object", json_type(*json_), {}});
}

const Json* JsonView::find(std::string_view key) const {
  const auto found = json_->find(key);
  return found == json_->end() || found->is_null() ? nullptr : &*found;
}

void JsonView::fail(std::string_view key, std::string_view expected) const {
  throw FileError({child(where_, key), std::string(expected), json_type(*find(key)), {}});
}

std::optional<double> JsonView::number(std::string_view key) const {
  const Json* found = find(key);
  if (!found) return {};
  if (!found->is_number()) fail(key, "a number");
  const double value = found->get<double>();
  return std::abs(value) < largest ? std::optional(value) : std::nullopt;
}

std::string JsonView::text(std::string_view key) const {
  const Json* found = find(key);
  if (!found) return {};
  if (!found->is_string()) fail(key, "a string");
  return found->get<std::string>();
}

bool JsonView::flag(std::string_view key, bool otherwise) const {
  const Json* found = find(key);
  if (!found) return otherwise;
  if (!found->is_boolean()) fail(key, "true or false");
  return found->get<bool>();
}

JsonView JsonView::object(std::string_view key) const {
  static const Json none = Json::object();
  const Json* found = find(key);
  return {found ? *found : none, child(where_, key)};
}

const Json& JsonView::array(std::string_view key) const {
  static const Json none = Json::array();
  const Json* found = find(key);
  if (found && !found->is_array()) fail(key, "an array");
  return found ? *found : none;
}

std::vector<JsonView> JsonView::objects(std::string_view key) const {
  std::vector<JsonView> result;
  for (const Json& item : array(key))
    result.emplace_back(item, child(where_, fmt::format("{}[{}]", key, result.size())));
  return result;
}

std::vector<std::string> JsonView::texts(std::string_view key) const {
  std::vector<std::string> result;
  for (const Json& item : array(key)) {
    if (!item.is_string()) fail(key, "an array of strings");
    result.push_back(item.get<std::string>());
  }
  return result;
}

std::vector<double> JsonView::numbers(std::string_view key) const {
  std::vector<double> result;
  for (const Json& item : array(key)) {
    if (!is_measurement(item)) fail(key, "an array of numbers");
    result.push_back(item.get<double>());
  }
  return result;
}

std::vector<std::vector<double>> JsonView::rows(std::string_view key, std::size_t width) const {
  std::vector<std::vector<double>> result;
  for (const Json& item : array(key)) {
    const bool fits = item.is_array() && item.size() == width && std::all_of(item.begin(), item.end(), is_measurement);
    if (!fits) fail(key, fmt::format("an array of rows of {} numbers", width));
    result.push_back(item.get<std::vector<double>>());
  }
  return result;
}

}  // namespace vaetl
