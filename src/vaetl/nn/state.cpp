#include "vaetl/nn/state.hpp"

#include <string_view>

#include "vaetl/core/signature.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/layers.hpp"
#include "vaetl/nn/load_rules.hpp"
#include "vaetl/nn/reshape.hpp"
#include "vaetl/nn/weight_names.hpp"

namespace vaetl {
namespace {

std::string shape_of(const at::Tensor& tensor) { return shape_text(tensor.sizes().vec()); }

bool convertible(const at::Tensor& from, const at::Tensor& to) {
  const bool floats = from.is_floating_point() && to.is_floating_point();
  return floats || from.scalar_type() == to.scalar_type();
}

std::string difference(const at::Tensor& from, const at::Tensor& to) {
  if (from.sizes() != to.sizes()) {
    return fmt::format("shape {} in the file, {} in the model", shape_of(from), shape_of(to));
  }
  return fmt::format("{} in the file, {} in the model", dtype_name(from.scalar_type()), dtype_name(to.scalar_type()));
}

std::string fresh_note(const std::string& name, const at::Tensor& tensor) {
  return is_batch_counter(name) ? "initialised to 0, as old files of PyTorch lack it" : shape_of(tensor);
}

// The weights that are (in, out, …).
std::set<std::string> transposed_weights(const torch::nn::Module& module) {
  std::set<std::string> names;
  module.apply([&](const std::string& path, const torch::nn::Module& layer) {
    if (dynamic_cast<const nn::ConvTranspose2d*>(&layer)) names.insert(path.empty() ? "weight" : path + ".weight");
  });
  return names;
}

// A tensor of the file, where it goes, and by which rule; `by_order` where no rule said so.
struct Pair {
  std::string file_name;
  at::Tensor from;
  std::string name;
  LoadRule rule = {};
  bool by_order = false;
};

// The file's tensors that no rule mentions, and the model's that are free, one after the other. Counters of batches
// stay out of it: old files lack them.
class Ordered {
 public:
  Ordered(const torch::nn::Module& module, const Weights& own, const LoadContext& context) : own_(own) {
    for (const auto& name : names_in_order(module)) {
      if (!context.fresh.contains(name)) (is_batch_counter(name) ? counters_ : free_).push_back(name);
    }
  }

  void take(const std::string& name) {
    std::erase(free_, name);
    std::erase(counters_, name);
  }

  // Empty where the model has no more. FileError for the first pair that does not fit.
  std::string next(const std::string& file_name, const at::Tensor& from) {
    const bool counter = is_batch_counter(file_name);
    std::size_t& at = counter ? counter_at_ : at_;
    const auto& names = counter ? counters_ : free_;
    if (at == names.size()) return {};
    const std::string& name = names[at++];
    const at::Tensor& to = own_.at(name);
    if (from.sizes() == to.sizes()) return name;
    throw FileError({fmt::format("weights by order, tensor {}", at),
                     fmt::format("shape {} for {}", shape_of(to), quote(name, 200)),
                     fmt::format("{} of shape {}", quote(file_name, 200), shape_of(from)),
                     "name this pair, or what is too many (\"to\": \"\"), by a rule of load"});
  }

 private:
  const Weights& own_;
  std::vector<std::string> free_, counters_;
  std::size_t at_ = 0, counter_at_ = 0;
};

// Decides about every tensor first; copies only in commit().
class Plan {
 public:
  Plan(const torch::nn::Module& module, const Weights& weights, const std::vector<LoadRule>& rules,
       LoadContext context = {})
      : own_(state(module)),
        order_(names_in_order(module)),
        transposed_(transposed_weights(module)),
        context_(std::move(context)) {
    check_rules(rules);
    const auto pairs = context_.by_order ? by_order(module, weights, rules) : by_name(weights, rules);
    for (const Pair& pair : pairs) place(pair);
    for (const auto& [name, tensor] : own_) {
      if (!taken_.contains(name)) {
        report_.initialised.push_back({.name = name, .note = fresh_note(name, tensor), .elements = tensor.numel()});
      }
    }
  }

  const LoadReport& report() const { return report_; }

  void throw_if_refused() const {
    if (refused_.empty()) return;
    const auto& [pair, to, wants] = refused_.front();
    const bool shape = pair.from.sizes() != to.sizes() || convertible(pair.from, to);
    const std::string more = refused_.size() == 1 ? "" : fmt::format(" (and {} more like it)", refused_.size() - 1);
    auto text = [&](const at::Tensor& t) { return shape ? "shape " + shape_of(t) : dtype_name(t.scalar_type()); };
    const std::string rule = wants.empty() ? "" : fmt::format(", or for the rule {} {}", pair.rule.on_mismatch, wants);
    throw FileError({"weights " + quote(pair.name, 200), text(to) + rule, text(pair.from) + " in the file" + more,
                     remedy(pair, to)});
  }

  LoadReport commit() {
    const at::NoGradGuard no_grad;
    for (auto& [from, to] : copies_) to.copy_(from);
    return std::move(report_);
  }

 private:
  struct Refused {
    Pair pair;
    at::Tensor to;
    std::string wants;  // of a rule that cannot apply
  };

  static std::vector<Pair> by_name(const Weights& weights, const std::vector<LoadRule>& rules) {
    std::vector<Pair> pairs;
    for (const auto& [name, tensor] : weights) {
      const Destination at = destination(name, rules);
      pairs.push_back({name, tensor, at.name, at.rule ? *at.rule : LoadRule{}});
    }
    return pairs;
  }

  std::vector<Pair> by_order(const torch::nn::Module& module, const Weights& weights,
                             const std::vector<LoadRule>& rules) const {
    if (context_.order.size() != weights.size()) {
      throw ConfigError({"match", "weights that keep the order in which the model defines them", "none",
                         "use a file of PyTorch or weights with a description, or map names with load"});
    }
    Ordered ordered(module, own_, context_);
    for (const auto& [name, tensor] : weights) {
      if (const Destination at = destination(name, rules); at.rule) ordered.take(at.name);
    }
    std::vector<Pair> pairs;
    for (const std::string& name : context_.order) {
      const at::Tensor& tensor = weights.at(name);
      const Destination at = destination(name, rules);
      if (at.rule) {
        pairs.push_back({name, tensor, at.name, *at.rule});
      } else {
        pairs.push_back({name, tensor, ordered.next(name, tensor), {}, true});
      }
    }
    return pairs;
  }

  void place(const Pair& pair) {
    const auto found = own_.find(pair.name);
    if (found == own_.end()) {
      const bool dropped = pair.name.empty() && !pair.by_order;
      report_.unused.push_back({.name = pair.file_name,
                                .note = dropped ? "dropped by a rule" : shape_of(pair.from),
                                .elements = pair.from.numel(),
                                .source = pair.file_name});
      return;
    }
    const auto [previous, fresh] = taken_.emplace(pair.name, pair.file_name);
    if (!fresh) {
      throw FileError({"weights " + quote(pair.name, 200), "one tensor of the file",
                       fmt::format("{} and {}", quote(previous->second, 200), quote(pair.file_name, 200)),
                       "change the rules for their names"});
    }
    fit(pair, found->second);
  }

  void fit(const Pair& pair, const at::Tensor& to) {
    const LoadReport::Row row{.name = pair.name, .note = {}, .elements = to.numel(), .source = pair.file_name};
    if (!convertible(pair.from, to)) {
      settle(pair, to, {});
    } else if (pair.from.sizes() == to.sizes() && !renamed_rows(pair.rule)) {
      report_.loaded.push_back(row);
      report_.loaded.back().taken = row.elements;
      report_.loaded.back().note = how(pair, to);
      copies_.emplace_back(scaled(pair.from, pair.rule.scale), to);
    } else {
      settle(pair, to, reshape(reshaping(pair, to)));
    }
  }

  // Another shape or type: by its rule.
  void settle(const Pair& pair, const at::Tensor& to, const Reshaped& reshaped) {
    if (reshaped.value.defined()) {
      const std::string more = how(pair, to);
      report_.reshaped.push_back({.name = pair.name,
                                  .note = reshaped.note + (more.empty() ? "" : ", " + more),
                                  .elements = to.numel(),
                                  .taken = reshaped.taken,
                                  .source = pair.file_name});
      copies_.emplace_back(scaled(reshaped.value, pair.rule.scale), to);
    } else if (pair.rule.on_mismatch == "skip") {
      report_.mismatched.push_back(
          {.name = pair.name, .note = difference(pair.from, to), .elements = to.numel(), .source = pair.file_name});
    } else {
      refused_.push_back({pair, to, reshaped.note});
    }
  }

  Reshaping reshaping(const Pair& pair, const at::Tensor& to) const {
    return {pair.name, pair.from, to, pair.rule, context_, maps_before(pair.name), transposed_.contains(pair.name)};
  }

  // Channels of the nearest convolution that the model defines before this tensor.
  std::int64_t maps_before(const std::string& name) const {
    std::int64_t channels = 0;
    for (const std::string& before : order_) {
      if (before == name) break;
      if (const at::Tensor& tensor = own_.at(before); tensor.dim() == 4) channels = tensor.size(0);
    }
    return channels;
  }

  static bool renamed_rows(const LoadRule& rule) {
    return rule.on_mismatch == "rows" && rule.names && rule.names->from != rule.names->to;
  }

  static at::Tensor scaled(const at::Tensor& values, double scale) {
    return scale == 1 || !values.is_floating_point() ? values : values.detach() * scale;
  }

  // What a loaded tensor's name and type do not tell.
  static std::string how(const Pair& pair, const at::Tensor& to) {
    std::vector<std::string> notes;
    if (pair.file_name != pair.name) notes.push_back("from " + pair.file_name + (pair.by_order ? ", by order" : ""));
    if (pair.from.scalar_type() != to.scalar_type()) {
      notes.push_back("converted from " + dtype_name(pair.from.scalar_type()));
    }
    if (pair.rule.scale != 1 && to.is_floating_point()) notes.push_back(fmt::format("times {:g}", pair.rule.scale));
    return join(notes);
  }

  std::string remedy(const Pair& pair, const at::Tensor& to) const {
    const auto rule = [&](const std::string& how) {
      return Json{{"from", pair.file_name}, {"to", pair.name}, {"on_mismatch", how}}.dump();
    };
    const std::string fits = convertible(pair.from, to) ? rule_that_fits(reshaping(pair, to)) : "";
    if (!fits.empty()) return "fit it by the rule " + rule(fits) + ", or leave it fresh with \"skip\"";
    return "change the model's description, or leave it fresh by the rule " + rule("skip");
  }

  Weights own_;
  std::vector<std::string> order_;
  std::set<std::string> transposed_;
  LoadContext context_;
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

void add_names(const torch::nn::Module& module, const std::string& prefix, std::vector<std::string>& names) {
  for (const auto& item : module.named_parameters(/*recurse=*/false)) names.push_back(prefix + item.key());
  for (const auto& item : module.named_buffers(/*recurse=*/false)) names.push_back(prefix + item.key());
  for (const auto& child : module.named_children()) add_names(*child.value(), prefix + child.key() + ".", names);
}

}  // namespace

Weights state(const torch::nn::Module& module) {
  Weights weights;
  for (const auto& item : module.named_parameters()) weights.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) weights.emplace(item.key(), item.value());
  return weights;
}

std::vector<std::string> names_in_order(const torch::nn::Module& module) {
  std::vector<std::string> names;
  add_names(module, "", names);
  return names;
}

LoadReport load(torch::nn::Module& module, const Weights& weights, const std::vector<LoadRule>& rules,
                const LoadContext& context) {
  Plan plan(module, weights, rules, context);
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
