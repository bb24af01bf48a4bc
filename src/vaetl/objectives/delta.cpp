#include "vaetl/objectives/delta.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/ones.h>
#include <torch/csrc/autograd/autograd.h>

#include "vaetl/core/error.hpp"
#include "vaetl/nn/taps.hpp"

namespace vaetl::objectives {
namespace {

constexpr const char* groups_path = "objective delta: groups";

// (N, C), (N, T, C) or (N, C, H, W) → (N, S, C).
at::Tensor by_channel(const at::Tensor& map) {
  if (map.dim() == 2) return map.unsqueeze(1);
  return map.dim() == 3 ? map : map.flatten(2).transpose(1, 2);
}

// ‖·‖² / S of each example and channel, (N, C); of sequences over the steps that are no padding.
at::Tensor squared_by_channel(const at::Tensor& apart, const Fields& fields) {
  const at::Tensor squared = apart.square();
  if (apart.dim() == 2) return squared;
  if (apart.dim() == 4) return squared.mean({2, 3});
  if (!fields.has("length")) return squared.mean(1);
  const at::Tensor length = fields["length"];
  const at::Tensor real = at::arange(apart.size(1), length.options()).unsqueeze(0).lt(length.unsqueeze(1));
  return (squared * real.unsqueeze(2)).sum(1) / length.clamp_min(1).unsqueeze(1);
}

}  // namespace

Needs Delta::needs() const {
  Needs needs{.capabilities = {"Encoder"}, .taps = options_.groups};
  if (options_.channels == "attention") {
    needs.capabilities = {"Classifier"};
    needs.fields = {"target"};
    needs.mixed = true;
  }
  return needs;
}

void Delta::train(bool on) {
  Objective::train(on);
  if (source_) source_->eval();
}

void Delta::bind(Model& model, const Batch& example) {
  if (options_.groups.empty()) throw ConfigError({groups_path, "at least one layer group", "none", {}});
  check_needs(needs(), model, example, "objective delta");
  const auto copy = vaetl::clone(model);
  copy->eval();
  weigh_channels(*copy, example.find("train")->second);
  for (const at::Tensor& parameter : copy->parameters()) parameter.requires_grad_(false);
  // Bound again for another training, it starts afresh.
  source_ = source_ ? replace_module("source", copy) : register_module("source", copy);
}

void Delta::weigh_channels(Model& source, const Fields& example) {
  const bool attend = options_.channels == "attention";
  const at::AutoGradMode recording(attend);
  const nn::Taps taps(source, options_.groups, groups_path);
  const at::Tensor features = dynamic_cast<Encoder&>(source).encode(example);
  groups_ = taps.groups();
  std::vector<at::Tensor> maps, slopes;
  for (const std::string& group : groups_) maps.push_back(taps[group]);
  if (attend) {
    const at::Tensor logits = dynamic_cast<Classifier&>(source).classify(features);
    slopes = torch::autograd::grad({at::cross_entropy_loss(logits, example.target())}, maps);
  }
  auto attention = std::make_shared<torch::nn::Module>();
  weights_.clear();
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const at::Tensor map = by_channel(maps[i].detach());
    at::Tensor weight = at::ones({map.size(2)}, map.options());
    if (attend) weight = (-map * by_channel(slopes[i])).sum({0, 1}).softmax(0) * static_cast<double>(map.size(2));
    weights_.push_back(attention->register_buffer(std::to_string(i), weight));
  }
  attention_ = attention_ ? replace_module("attention", attention) : register_module("attention", attention);
}

Terms Delta::terms(std::size_t /*update*/, Pass& pass) {
  const Fields& fields = pass.fields();
  const auto& outputs = pass.outputs();
  std::vector<at::Tensor> maps;
  {
    const at::NoGradGuard no_grad;
    const nn::Taps taps(*source_, groups_, groups_path);
    dynamic_cast<Encoder&>(*source_).encode(fields);
    for (const std::string& group : groups_) maps.push_back(taps[group]);
  }
  at::Tensor sum;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const at::Tensor apart = squared_by_channel(outputs.at(groups_[i]) - maps[i], fields).matmul(weights_[i]);
    sum = sum.defined() ? sum + apart : apart;
  }
  return Terms{}.add("delta", 0.5 * options_.alpha * pass.mean(sum));
}

}  // namespace vaetl::objectives
