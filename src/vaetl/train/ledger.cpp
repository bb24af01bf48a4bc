#include "vaetl/train/ledger.hpp"

#include <ATen/ops/cat.h>

#include <cmath>

namespace vaetl {
namespace {

constexpr auto kSums = {"window", "epoch"};

// Which no reader asks for, and which differs between processors.
float without_sign_of_nan(float value) { return std::isnan(value) ? std::abs(value) : value; }

std::vector<at::Tensor> flat(const std::vector<at::Tensor>& values) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& value : values) result.push_back(value.view(-1));
  return result;
}

}  // namespace

std::vector<TermLabel> labels_of(const std::vector<Terms>& terms) {
  std::vector<TermLabel> labels;
  for (const Terms& each : terms) {
    for (const auto& [name, value] : each.minimised()) labels.push_back({name, true});
    for (const auto& [name, value] : each.logged()) labels.push_back({name, false});
  }
  return labels;
}

std::vector<at::Tensor> values_of(const std::vector<Terms>& terms) {
  std::vector<at::Tensor> values;
  for (const Terms& each : terms) {
    for (const auto* named : {&each.minimised(), &each.logged()}) {
      for (const auto& [name, value] : *named) values.push_back(value.detach().to(at::kFloat));
    }
  }
  return values;
}

void Ledger::record(std::int64_t step, const std::vector<Terms>& terms) {
  for (TermLabel& label : labels_of(terms)) pending_.push_back({step, std::move(label)});
  for (at::Tensor& value : values_of(terms)) values_.push_back(std::move(value));
}

void Ledger::record(std::int64_t step, const std::vector<TermLabel>& labels, const at::Tensor& values) {
  for (const TermLabel& label : labels) pending_.push_back({step, label});
  values_.push_back(values);
}

std::optional<BadTerm> Ledger::flush() {
  if (pending_.empty()) return std::nullopt;
  const at::Tensor read = at::cat(flat(values_)).to(at::kCPU);
  const float* values = read.const_data_ptr<float>();
  std::optional<BadTerm> bad;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const auto& [step, label] = pending_[i];
    if (!std::isfinite(values[i]) && !bad) bad = BadTerm{label.name, without_sign_of_nan(values[i]), step};
    for (Sums* sums : {&window_, &epoch_}) {
      Sum& sum = (*sums)[label.name];
      sum.value += values[i];
      ++sum.count;
      sum.minimised = label.minimised;
    }
  }
  pending_.clear();
  values_.clear();
  return bad;
}

std::map<std::string, double> Ledger::take(Sums& sums) {
  std::map<std::string, double> means;
  for (const auto& [name, sum] : sums) {
    means[name] = sum.value / static_cast<double>(sum.count);
    if (sum.minimised) means["loss"] += means[name];
  }
  sums.clear();
  return means;
}

std::map<std::string, double> Ledger::take_window() { return take(window_); }
std::map<std::string, double> Ledger::take_epoch() { return take(epoch_); }

Json Ledger::state() const {
  Json json = Json::object();
  for (const char* which : kSums) {
    Json& part = json[which] = Json::object();
    for (const auto& [name, sum] : which == std::string_view("window") ? window_ : epoch_) {
      part[name] = {{"value", sum.value}, {"count", sum.count}, {"minimised", sum.minimised}};
    }
  }
  return json;
}

void Ledger::load_state(const Json& json) {
  for (const char* which : kSums) {
    Sums& sums = which == std::string_view("window") ? window_ : epoch_;
    sums.clear();
    for (const auto& [name, part] : json.at(which).items()) {
      sums[name] = {part.at("value").get<double>(), part.at("count").get<std::int64_t>(),
                    part.at("minimised").get<bool>()};
    }
  }
}

}  // namespace vaetl
