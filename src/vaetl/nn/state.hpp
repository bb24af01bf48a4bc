// A module's parameters and buffers as one map of names, and the one place that matches names and shapes when weights
// are loaded: transfer, zoo, resume and import all use it.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "vaetl/nn/model.hpp"

namespace vaetl {

using Weights = std::map<std::string, at::Tensor>;

Weights state(const torch::nn::Module& module);  // shared with the module, not copied
// The names of state() in the order of a state_dict of PyTorch: by module as defined, parameters before buffers.
std::vector<std::string> names_in_order(const torch::nn::Module& module);

// What the rows of a head or an embedding stand for, in the file and in the model: classes, tokens.
struct RowNames {
  std::vector<std::string> from = {}, to = {};
  static constexpr auto fields() {
    return std::tuple{field("from", &RowNames::from, "of the rows in the file"),
                      field("to", &RowNames::to, "of the rows in the model")};
  }
};

// Shapes (C, H, W) of what a dense layer sees as one row of values, in the file and in the model.
struct MapShapes {
  std::vector<std::int64_t> from = {}, to = {};
  static constexpr auto fields() {
    return std::tuple{field("from", &MapShapes::from, "channels, height, width in the file", at_least(1)),
                      field("to", &MapShapes::to, "channels, height, width in the model", at_least(1))};
  }
};

// What a rule does with a tensor of another shape (nn/reshape.hpp): error; skip keeps the model's fresh values;
// sum_channels is channels to a single one. `rows` goes by names, whatever the shapes.
inline constexpr Choices mismatch_rules = {"error", "skip", "channels", "sum_channels", "rows", "first_rows", "resize"};

// A rule for names, read in order: the first whose `from` pattern matches decides. `*` in `from` is carried over into
// the `*` of `to`. An empty `to` drops the tensor (it is reported as unused).
struct LoadRule {
  std::string from = "*", to = "*";
  std::string on_mismatch = "error";
  std::optional<RowNames> names = {};  // of "rows"
  std::optional<MapShapes> maps = {};  // of "resize"; none: those of the convolution before it, or the input
  double scale = 1;                    // the values times this
  static constexpr auto fields() {
    using R = LoadRule;
    return std::tuple{
        field("from", &R::from, "pattern over the names in the file"),
        field("to", &R::to, "name in the model; * stands for what * matched; empty: drop"),
        choice("on_mismatch", &R::on_mismatch, "what to do with another shape", mismatch_rules),
        field("names", &R::names, "of rows: {\"from\": [classes of the file], \"to\": [classes of the model]}"),
        field("maps", &R::maps, "of resize: {\"from\": [C, H, W], \"to\": [C, H, W]} that a dense layer sees"),
        field("scale", &R::scale, "factor on the values", between(-1e6, 1e6))};
  }
};

// What is known of file and model besides names and shapes.
struct LoadContext {
  bool by_order = false;                // names that no rule mentions are paired by order and shape
  std::vector<std::string> order = {};  // the file's names as the model there defines them
  std::set<std::string> fresh = {};     // the model's names that order passes over: asked for anew
  std::vector<std::int64_t> from_input = {}, to_input = {};  // shape of one example
};

// What became of every tensor. Floating-point values of another precision are converted, which the note of the loaded
// row says; a tensor of another shape that its rule skips is mismatched, and keeps its fresh values like an initialised
// one.
struct LoadReport {
  struct Row {
    std::string name, note;  // the model's name (the file's for unused ones) and what happened to it
    std::int64_t elements = 0;
    std::int64_t taken = 0;   // of them from the file
    std::string source = {};  // the file's name; empty: none
  };
  std::vector<Row> loaded, reshaped, initialised, unused, mismatched;
  bool complete() const { return initialised.empty() && unused.empty() && mismatched.empty() && reshaped.empty(); }
};

// Copies what fits into the module under no_grad. FileError for a mismatch whose rule says error or cannot apply (names
// tensor, both shapes, the remedy), for two tensors of one name, and by order for the first pair that does not fit;
// ConfigError for a rule that makes no sense. Nothing is copied unless all is well.
LoadReport load(torch::nn::Module& module, const Weights& weights, const std::vector<LoadRule>& rules = {},
                const LoadContext& context = {});
// Everything must match, nothing may be left over but counters of batches, which old files lack (nn/weight_names.hpp):
// FileError naming the first few differences. `what` begins the message.
void load_strict(torch::nn::Module& module, const Weights& weights, const std::string& what);

}  // namespace vaetl
