#include "vaetl/nn/state.hpp"

#include <optional>
#include <string_view>

#include "vaetl/core/signature.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/weight_names.hpp"

namespace vaetl {
namespace {

// What each `*` of the pattern stands for, shortest first; none where the text does not match.
std::optional<std::vector<std::string>> match_stars(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return pattern == text ? std::optional(std::vector<std::string>{}) : std::nullopt;
  if (!text.starts_with(pattern.substr(0, star))) return std::nullopt;
  pattern.remove_prefix(star + 1);
  text.remove_prefix(star);
  for (std::size_t length = pattern.empty() ? text.size() : 0; length <= text.size(); ++length) {
    if (auto rest = match_stars(pattern, text.substr(length))) {
      rest->insert(rest->begin(), std::string(text.substr(0, length)));
      return rest;
    }
  }
  return std::nullopt;
}

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

void check_rules(const std::vector<LoadRule>& rules) {
  auto stars = [](const std::string& pattern) { return std::count(pattern.begin(), pattern.end(), '*'); };
  for (const LoadRule& rule : rules) {
    const std::string where = fmt::format("load rule {} to {}", quote(rule.from), quote(rule.to));
    if (stars(rule.to) > stars(rule.from)) {
      throw ConfigError({where, "at most as many * in \"to\" as in \"from\"", std::to_string(stars(rule.to)), {}});
    }
    if (stars(rule.from) > 8) throw ConfigError({where, "at most 8 *", std::to_string(stars(rule.from)), {}});
    const std::vector<std::string> known = {"error", "skip", "sum_channels"};
    if (std::find(known.begin(), known.end(), rule.on_mismatch) == known.end()) {
      throw ConfigError({where, "on_mismatch: one of " + join(known), quote(rule.on_mismatch),
                         did_you_mean(rule.on_mismatch, known)});
    }
  }
}

struct Destination {
  std::string name;
  std::string_view on_mismatch = "error";
};

Destination destination(const std::string& name, const std::vector<LoadRule>& rules) {
  for (const LoadRule& rule : rules) {
    if (const auto stars = match_stars(rule.from, name)) return {fill_stars(rule.to, *stars), rule.on_mismatch};
  }
  return {name};
}

std::string shape_of(const at::Tensor& tensor) { return shape_text(tensor.sizes().vec()); }

bool convertible(const at::Tensor& from, const at::Tensor& to) {
  const bool floats = from.is_floating_point() && to.is_floating_point();
  return floats || from.scalar_type() == to.scalar_type();
}

// Weights (out, C, k, k) for an input of C channels that is now grey: the sum treats grey as C equal channels.
bool sums_to(const at::Tensor& from, const at::Tensor& to) {
  return from.dim() == 4 && to.dim() == 4 && from.size(1) > 1 && to.size(1) == 1 && from.size(0) == to.size(0) &&
         from.size(2) == to.size(2) && from.size(3) == to.size(3);
}

std::string difference(const at::Tensor& from, const at::Tensor& to) {
  if (from.sizes() != to.sizes()) {
    return fmt::format("shape {} in the file, {} in the model", shape_of(from), shape_of(to));
  }
  return fmt::format("{} in the file, {} in the model", dtype_name(from.scalar_type()), dtype_name(to.scalar_type()));
}

std::string loaded_note(const std::string& file_name, const std::string& name, const at::Tensor& from,
                        const at::Tensor& to) {
  std::vector<std::string> notes;
  if (file_name != name) notes.push_back("from " + file_name);
  if (from.scalar_type() != to.scalar_type()) notes.push_back("converted from " + dtype_name(from.scalar_type()));
  return join(notes);
}

std::string fresh_note(const std::string& name, const at::Tensor& tensor) {
  return is_batch_counter(name) ? "initialised to 0, as old files of PyTorch lack it" : shape_of(tensor);
}

// Decides about every tensor first; copies only in commit().
class Plan {
 public:
  Plan(const torch::nn::Module& module, const Weights& weights, const std::vector<LoadRule>& rules)
      : own_(state(module)) {
    check_rules(rules);
    for (const auto& [name, tensor] : weights) place(name, tensor, destination(name, rules));
    for (const auto& [name, tensor] : own_) {
      if (!taken_.contains(name)) report_.initialised.push_back({name, fresh_note(name, tensor), tensor.numel()});
    }
  }

  const LoadReport& report() const { return report_; }

  void throw_if_refused() const {
    if (refused_.empty()) return;
    const auto& [name, from, to] = refused_.front();
    const bool shape = from.sizes() != to.sizes();
    const std::string more = refused_.size() == 1 ? "" : fmt::format(" (and {} more like it)", refused_.size() - 1);
    auto text = [&](const at::Tensor& t) { return shape ? "shape " + shape_of(t) : dtype_name(t.scalar_type()); };
    throw FileError({"weights " + quote(name, 200), text(to), text(from) + " in the file" + more,
                     "change the model's description, or leave it fresh by the rule " +
                         Json{{"from", name}, {"to", name}, {"on_mismatch", "skip"}}.dump()});
  }

  LoadReport commit() {
    const at::NoGradGuard no_grad;
    for (auto& [from, to] : copies_)
      to.copy_(from.sizes() == to.sizes() ? from : from.to(to.scalar_type()).sum(1, true));
    return std::move(report_);
  }

 private:
  struct Refused {
    std::string name;
    at::Tensor from, to;
  };

  void place(const std::string& file_name, const at::Tensor& from, const Destination& at) {
    const auto found = own_.find(at.name);
    if (found == own_.end()) {
      report_.unused.push_back({file_name, at.name.empty() ? "dropped by a rule" : shape_of(from), from.numel()});
      return;
    }
    const auto [previous, fresh] = taken_.emplace(at.name, file_name);
    if (!fresh) {
      throw FileError({"weights " + quote(at.name, 200), "one tensor of the file",
                       fmt::format("{} and {}", quote(previous->second, 200), quote(file_name, 200)),
                       "change the rules for their names"});
    }
    fit(file_name, at, from, found->second);
  }

  void fit(const std::string& file_name, const Destination& at, const at::Tensor& from, const at::Tensor& to) {
    if (from.sizes() == to.sizes() && convertible(from, to)) {
      report_.loaded.push_back({at.name, loaded_note(file_name, at.name, from, to), to.numel()});
      copies_.emplace_back(from, to);
    } else if (at.on_mismatch == "sum_channels" && sums_to(from, to) && convertible(from, to)) {
      report_.reshaped.push_back({at.name, fmt::format("sum of {} input channels", from.size(1)), to.numel()});
      copies_.emplace_back(from, to);
    } else if (at.on_mismatch == "skip") {
      report_.mismatched.push_back({at.name, difference(from, to), to.numel()});
    } else {
      refused_.push_back({at.name, from, to});
    }
  }

  Weights own_;
  std::map<std::string, std::string> taken_;  // the model's name → the file's
  LoadReport report_;
  std::vector<std::pair<at::Tensor, at::Tensor>> copies_;
  std::vector<Refused> refused_;
};

// "no head.weight", "unknown a.b", "c: shape (2) in the file, (3) in the model": the first few of them.
std::string first_differences(const LoadReport& report) {
  std::vector<std::string> all;
  for (const auto& row : report.mismatched) all.push_back(row.name + ": " + row.note);
  for (const auto& row : report.initialised) all.push_back("no " + row.name);
  for (const auto& row : report.unused) all.push_back(row.name + " besides");
  constexpr std::size_t shown = 3;
  const std::string more = all.size() > shown ? fmt::format(" and {} more differences", all.size() - shown) : "";
  return join(std::span(all).first(std::min(shown, all.size()))) + more;
}

}  // namespace

Weights state(const torch::nn::Module& module) {
  Weights weights;
  for (const auto& item : module.named_parameters()) weights.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) weights.emplace(item.key(), item.value());
  return weights;
}

LoadReport load(torch::nn::Module& module, const Weights& weights, const std::vector<LoadRule>& rules) {
  Plan plan(module, weights, rules);
  plan.throw_if_refused();
  return plan.commit();
}

void load_strict(torch::nn::Module& module, const Weights& weights, const std::string& what) {
  Plan plan(module, weights, {{.from = "*", .to = "*", .on_mismatch = "skip"}});
  LoadReport report = plan.report();
  std::erase_if(report.initialised, [](const auto& row) { return is_batch_counter(row.name); });
  if (!report.complete()) {
    throw FileError({what, "the weights of this model and nothing else", first_differences(report),
                     prefix_remedy(weights, state(module), "use the description that belongs to these weights")});
  }
  plan.commit();
}

}  // namespace vaetl
