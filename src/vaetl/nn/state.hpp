// A module's parameters and buffers as one map of names, and the one place that matches names and shapes when weights
// are loaded: transfer, zoo, resume and import all use it.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "vaetl/nn/model.hpp"

namespace vaetl {

using Weights = std::map<std::string, at::Tensor>;

Weights state(const torch::nn::Module& module);  // shared with the module, not copied

// A rule for names, read in order: the first whose `from` pattern matches decides. `*` in `from` is carried over into
// the
// `*` of `to`. An empty `to` drops the tensor (it is reported as unused).
struct LoadRule {
  std::string from = "*", to = "*";
  std::string on_mismatch = "error";  // another shape: error, skip (keep the fresh one), sum_channels (conv, 3 to 1)
  static constexpr auto fields() {
    using R = LoadRule;
    return std::tuple{
        field("from", &R::from, "pattern over the names in the file"),
        field("to", &R::to, "name in the model; * stands for what * matched; empty: drop"),
        choice("on_mismatch", &R::on_mismatch, "what to do with another shape", {"error", "skip", "sum_channels"})};
  }
};

// What became of every tensor. Floating-point values of another precision are converted, which the note of the loaded
// row says; a tensor of another shape that its rule skips is mismatched, and keeps its fresh values like an initialised
// one.
struct LoadReport {
  struct Row {
    std::string name, note;  // the model's name (the file's for unused ones) and what happened to it
    std::int64_t elements = 0;
  };
  std::vector<Row> loaded, reshaped, initialised, unused, mismatched;
  bool complete() const { return initialised.empty() && unused.empty() && mismatched.empty() && reshaped.empty(); }
  Json json() const;
};
std::string to_text(const LoadReport& report, const Model& model);  // grouped by layer group, for people

// Copies what fits into the module under no_grad. FileError for a mismatch whose rule says error (names tensor, both
// shapes, the remedy) and for two tensors of one name; ConfigError for a rule that makes no sense. Nothing is copied
// unless all is well.
LoadReport load(torch::nn::Module& module, const Weights& weights, const std::vector<LoadRule>& rules = {});
// Everything must match, nothing may be left over but counters of batches, which old files lack (nn/weight_names.hpp):
// FileError naming the first few differences. `what` begins the message.
void load_strict(torch::nn::Module& module, const Weights& weights, const std::string& what);

}  // namespace vaetl
