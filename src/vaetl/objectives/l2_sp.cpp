#include "vaetl/objectives/l2_sp.hpp"

#include <ATen/core/Reduction.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

namespace vaetl::objectives {

void L2Sp::bind(Model& model, const Batch& /*example*/) {
  const auto groups = match_groups(model, options_.groups, "objective l2_sp: groups");
  drawn_.clear();
  starts_.clear();
  fresh_.clear();
  auto start = std::make_shared<torch::nn::Module>();
  for (const auto& item : model.named_parameters()) {
    if (std::find(groups.begin(), groups.end(), group_of(model, item.key())) == groups.end()) {
      fresh_.push_back(item.value());
      continue;
    }
    std::string name = item.key();
    std::replace(name.begin(), name.end(), '.', '/');  // a buffer's name has no dots
    drawn_.push_back(item.value());
    starts_.push_back(start->register_buffer(name, item.value().detach().clone()));
  }
  // Bound again for another training, it starts afresh.
  start_ = start_ ? replace_module("start", start) : register_module("start", start);
}

Terms L2Sp::terms(std::size_t /*update*/, Pass& pass) {
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < drawn_.size(); ++i) {
    if (!drawn_[i].requires_grad()) continue;
    parts.push_back(0.5 * options_.alpha * at::mse_loss(drawn_[i], starts_[i], at::Reduction::Sum));
  }
  for (const at::Tensor& value : fresh_) {
    if (value.requires_grad()) parts.push_back(0.5 * options_.beta * value.square().sum());
  }
  if (parts.empty()) parts.push_back(at::zeros({}, at::TensorOptions(device_of(pass.model()))));
  return Terms{}.add("l2_sp", at::stack(parts).sum());
}

}  // namespace vaetl::objectives
