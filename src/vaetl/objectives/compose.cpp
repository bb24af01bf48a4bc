#include "vaetl/objectives/compose.hpp"

namespace vaetl {
namespace {

constexpr std::string_view own = "objective.";

// "objective.*" of a part is "objective.0.*" of the whole.
std::string nest(const std::string& pattern, const std::string& part) {
  if (!pattern.starts_with(own)) return pattern;
  return fmt::format("{}{}.{}", own, part, std::string_view(pattern).substr(own.size()));
}

void nest(Update& update, const std::string& part) {
  for (std::string& group : update.groups) group = nest(group, part);
}

template <class T>
void add_new(std::vector<T>& to, const std::vector<T>& from) {
  for (const T& item : from) {
    if (std::find(to.begin(), to.end(), item) == to.end()) to.push_back(item);
  }
}

// How often each name stands in the terms of all parts.
std::map<std::string, int> count_names(const std::vector<Terms>& parts) {
  std::map<std::string, int> count;
  for (const Terms& terms : parts) {
    for (const auto& [name, value] : terms.minimised()) ++count[name];
    for (const auto& [name, value] : terms.logged()) ++count[name];
  }
  return count;
}

// Whether mixed labels are read as such, or no labels at all.
bool stands_mixing(const Needs& needs) {
  return needs.mixed || std::find(needs.fields.begin(), needs.fields.end(), "target") == needs.fields.end();
}

// Objectives of a sum; a sum counts as its parts.
void flatten(std::vector<std::shared_ptr<Objective>>& to, std::shared_ptr<Objective> objective) {
  if (auto sum = std::dynamic_pointer_cast<Sum>(objective)) {
    to.insert(to.end(), sum->parts().begin(), sum->parts().end());
  } else {
    to.push_back(std::move(objective));
  }
}

}  // namespace

Weighted::Weighted(Schedule weight, std::shared_ptr<Objective> part)
    : weight_(weight), part_(register_module("part", std::move(part))) {}

std::vector<Update> Weighted::updates() const {
  std::vector<Update> result = part_->updates();
  for (Update& update : result) nest(update, "part");
  return result;
}

Terms Weighted::terms(std::size_t update, Pass& pass) {
  return Terms{}.append(part_->terms(update, pass), pass.value(weight_));
}

Sum::Sum(std::vector<std::shared_ptr<Objective>> parts) {
  for (auto& part : parts) flatten(parts_, std::move(part));
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    register_module(std::to_string(i), parts_[i]);
    if (parts_[i]->updates().size() < 2) continue;
    if (lead_ != i && parts_[lead_]->updates().size() > 1) {
      throw ConfigError({"objective", "at most one part of a sum with several updates",
                         fmt::format("the parts {} and {}", lead_, i), "train them one after the other"});
    }
    lead_ = i;
  }
  updates();  // finds what cannot be joined
}

Needs Sum::needs() const {
  Needs result = parts_.front()->needs();
  for (std::size_t i = 1; i < parts_.size(); ++i) {
    const Needs other = parts_[i]->needs();
    add_new(result.capabilities, other.capabilities);
    add_new(result.taps, other.taps);
    if (!result.streams.empty() && !other.streams.empty() && other.streams.front() == result.streams.front()) {
      result.mixed = stands_mixing(result) && stands_mixing(other);
      add_new(result.fields, other.fields);
      result.views = std::max(result.views, other.views);
    }
    add_new(result.streams, other.streams);
  }
  return result;
}

void Sum::join(Update& update, std::size_t part) const {
  Update joined = parts_[part]->updates().front();
  if (joined.every != 1 && joined.every != update.every) {
    throw ConfigError({"objective",
                       fmt::format("parts of a sum that are updated every {} steps or every step", update.every),
                       fmt::format("part {} with every {} steps", part, joined.every),
                       {}});
  }
  nest(joined, std::to_string(part));
  // Beside several updates a part must not widen which of the model's groups the last one trains.
  const bool alone = parts_[lead_]->updates().size() == 1;
  std::erase_if(joined.groups, [&](const std::string& group) { return !alone && !group.starts_with(own); });
  add_new(update.groups, joined.groups);
}

std::vector<Update> Sum::updates() const {
  std::vector<Update> result = parts_[lead_]->updates();
  for (Update& update : result) nest(update, std::to_string(lead_));
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (i != lead_) join(result.back(), i);
  }
  return result;
}

void Sum::bind(Model& model, const Batch& example) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    check_needs(parts_[i]->needs(), model, example, fmt::format("objective[{}]", i));
    parts_[i]->bind(model, example);
  }
}

Terms Sum::terms(std::size_t update, Pass& pass) {
  const bool last = update + 1 == parts_[lead_]->updates().size();
  std::vector<Terms> parts(parts_.size());
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (i == lead_) parts[i] = parts_[i]->terms(update, pass);
    if (i != lead_ && last) parts[i] = parts_[i]->terms(0, pass);
  }
  const auto count = count_names(parts);
  auto named = [&](const std::string& name, std::size_t i) {
    return count.at(name) > 1 ? fmt::format("{}.{}", name, i) : name;
  };
  Terms result;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (const auto& [name, value] : parts[i].minimised()) result.add(named(name, i), value);
    for (const auto& [name, value] : parts[i].logged()) result.log(named(name, i), value);
  }
  return result;
}

std::shared_ptr<Objective> operator+(std::shared_ptr<Objective> a, std::shared_ptr<Objective> b) {
  return std::make_shared<Sum>(std::vector{std::move(a), std::move(b)});
}

std::shared_ptr<Objective> operator*(Schedule weight, std::shared_ptr<Objective> objective) {
  return std::make_shared<Weighted>(weight, std::move(objective));
}

}  // namespace vaetl
