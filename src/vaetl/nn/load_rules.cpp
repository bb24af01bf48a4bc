#include "vaetl/nn/load_rules.hpp"

#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

std::string fill_stars(std::string_view pattern, const std::vector<std::string>& stars) {
  std::string result;
  std::size_t next = 0;
  for (char c : pattern) {
    if (c == '*') {
      result += stars.at(next++);
    } else {
      result += c;
    }
  }
  return result;
}

void check_stars(const LoadRule& rule, const std::string& where) {
  auto stars = [](const std::string& pattern) { return std::count(pattern.begin(), pattern.end(), '*'); };
  if (stars(rule.to) > stars(rule.from)) {
    throw ConfigError({where, "at most as many * in \"to\" as in \"from\"", std::to_string(stars(rule.to)), {}});
  }
  if (stars(rule.from) > 8) throw ConfigError({where, "at most 8 *", std::to_string(stars(rule.from)), {}});
}

void check_mismatch(const LoadRule& rule, const std::string& where) {
  std::vector<std::string> known;
  for (std::string_view name : mismatch_rules) {
    if (!name.empty()) known.emplace_back(name);
  }
  if (std::find(known.begin(), known.end(), rule.on_mismatch) == known.end()) {
    throw ConfigError(
        {where, "on_mismatch: one of " + join(known), quote(rule.on_mismatch), did_you_mean(rule.on_mismatch, known)});
  }
  const auto check_use = [&](const char* key, bool given, const char* used_by) {
    if (!given || rule.on_mismatch == used_by) return;
    throw ConfigError({where, fmt::format("{} beside on_mismatch {} alone", key, quote(used_by)),
                       "it beside " + quote(rule.on_mismatch), "leave one out"});
  };
  check_use("names", rule.names.has_value(), "rows");
  check_use("maps", rule.maps.has_value(), "resize");
}

void check_names(const std::vector<std::string>& names, const std::string& where, const char* side) {
  std::set<std::string> seen;
  for (const auto& name : names) {
    if (seen.insert(name).second) continue;
    throw ConfigError({fmt::format("{}: names.{}", where, side), "a name for each row", quote(name) + " twice", {}});
  }
}

}  // namespace

std::optional<std::vector<std::string>> match_stars(std::string_view pattern, std::string_view text) {
  auto star = pattern.find('*');
  if (star == pattern.npos) return pattern == text ? std::optional(std::vector<std::string>{}) : std::nullopt;
  if (!text.starts_with(pattern.substr(0, star))) return std::nullopt;
  text.remove_prefix(star);
  std::vector<std::string> stars;
  for (;;) {
    pattern.remove_prefix(star + 1);
    star = pattern.find('*');
    const std::string_view piece = pattern.substr(0, star);
    const bool last = star == pattern.npos;
    if (last && !text.ends_with(piece)) return std::nullopt;
    // The first place leaves the most for the pieces after it: where it fails, every other does.
    const auto at = last ? text.size() - piece.size() : text.find(piece);
    if (at == text.npos) return std::nullopt;
    stars.emplace_back(text.substr(0, at));
    if (last) return stars;
    text.remove_prefix(at + piece.size());
  }
}

void check_rules(const std::vector<LoadRule>& rules) {
  for (const LoadRule& rule : rules) {
    const std::string where = fmt::format("load rule {} to {}", quote(rule.from), quote(rule.to));
    check_stars(rule, where);
    check_mismatch(rule, where);
    if (!rule.names) continue;
    check_names(rule.names->from, where, "from");
    check_names(rule.names->to, where, "to");
  }
}

std::vector<std::string> names_of(const Weights& weights) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : weights) names.push_back(name);
  return names;
}

void check_matches(const std::string& pattern, const std::vector<std::string>& names, const std::string& expected,
                   const std::string& path) {
  const auto fits = [&](const std::string& name) { return match_stars(pattern, name).has_value(); };
  if (std::any_of(names.begin(), names.end(), fits)) return;
  throw ConfigError({path, expected, quote(pattern), did_you_mean(pattern, names)});
}

Destination destination(const std::string& name, const std::vector<LoadRule>& rules) {
  for (const LoadRule& rule : rules) {
    if (const auto stars = match_stars(rule.from, name)) return {fill_stars(rule.to, *stars), &rule};
  }
  return {name};
}

}  // namespace vaetl
