#include "vaetl/train/divergence.hpp"

#include <ATen/ops/aminmax.h>
#include <ATen/ops/stack.h>

#include <set>

#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

constexpr std::size_t most_named = 5;

// `bad` in the model's order, the objective last.
std::string group_list(const Model& model, const std::set<std::string>& bad) {
  std::vector<std::string> names;
  const auto groups = model.groups();
  for (const LayerGroup& group : groups) {
    if (bad.contains(group.name)) names.push_back(group.name);
  }
  if (names.size() == groups.size() && groups.size() > 1) names = {"every layer group"};
  if (names.size() > most_named) {
    const std::size_t more = names.size() - most_named + 1;
    names.resize(most_named - 1);
    names.push_back(fmt::format("{} more layer groups", more));
  }
  if (bad.contains("objective")) names.push_back("the objective");
  return join(names);
}

std::string text_of(const Model& model, const char* what, const std::set<std::string>& bad) {
  return bad.empty() ? std::string() : fmt::format("the {} of {}", what, group_list(model, bad));
}

}  // namespace

bool all_finite(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> ends;  // neither end of what holds NaN or infinity is finite
  for (const at::Tensor& tensor : tensors) {
    if (!tensor.defined() || !tensor.is_floating_point() || tensor.numel() == 0) continue;
    const auto [low, high] = at::aminmax(tensor.detach());
    ends.push_back(low.to(at::kFloat));
    ends.push_back(high.to(at::kFloat));
  }
  return ends.empty() || at::stack(ends).isfinite().all().item<bool>();
}

std::string weights_not_finite(const Model& model) {
  std::map<std::string, std::vector<at::Tensor>> weights;
  std::vector<at::Tensor> all;
  for (const auto& item : model.named_parameters()) {
    weights[group_of(model, item.key())].push_back(item.value());
    all.push_back(item.value());
  }
  if (all_finite(all)) return {};
  std::set<std::string> bad;
  for (const auto& [group, tensors] : weights) {
    if (!all_finite(tensors)) bad.insert(group);
  }
  return text_of(model, "weights", bad);
}

std::string data_not_finite(const Batch& batch) {
  for (const auto& [stream, fields] : batch) {
    for (const auto& name : fields.keys()) {
      if (!all_finite({fields[name]})) return fmt::format("\"{}\" of the stream {}", name, stream);
    }
  }
  return {};
}

void Autopsy::look(const Model& model, const std::vector<ParameterSet>& sets, std::int64_t step) {
  if (!finding_.empty()) return;
  std::set<std::string> bad;
  for (const ParameterSet& set : sets) {
    for (std::size_t i = 0; i < set.parameters.size(); ++i) {
      if (all_finite({set.parameters[i].grad()})) continue;
      bad.insert(set.names[i].starts_with("objective.") ? "objective" : group_of(model, set.names[i]));
    }
  }
  if (!bad.empty()) finding_ = fmt::format("{} at step {}", text_of(model, "gradients", bad), step + 1);
}

}  // namespace vaetl
