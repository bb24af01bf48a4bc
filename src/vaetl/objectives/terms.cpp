#include "vaetl/core/signature.hpp"
#include "vaetl/objectives/objective.hpp"

namespace vaetl {
namespace {

void check_scalar(const std::string& name, const at::Tensor& value) {
  if (value.defined() && value.dim() == 0) return;
  throw Error(Exit::internal, {fmt::format("term \"{}\"", name), "one number, a tensor of no dimensions",
                               value.defined() ? "shape " + shape_text(value.sizes().vec()) : "an undefined tensor",
                               "reduce losses of single examples with Pass::mean"});
}

}  // namespace

Terms& Terms::add(std::string name, at::Tensor value) {
  check_scalar(name, value);
  minimised_.emplace_back(std::move(name), std::move(value));
  return *this;
}

Terms& Terms::log(std::string name, at::Tensor value) {
  check_scalar(name, value);
  logged_.emplace_back(std::move(name), std::move(value));
  return *this;
}

Terms& Terms::append(const Terms& other, const at::Tensor& weight) {
  for (const auto& [name, value] : other.minimised_) add(name, weight.defined() ? weight * value : value);
  for (const auto& [name, value] : other.logged_) log(name, value);
  return *this;
}

at::Tensor Terms::total() const {
  if (minimised_.empty()) throw Error(Exit::internal, {"objective", "at least one term to minimise", "none", {}});
  at::Tensor sum = minimised_.front().second;
  for (std::size_t i = 1; i < minimised_.size(); ++i) sum = sum + minimised_[i].second;
  return sum;
}

Terms Terms::detached() const {
  Terms result = *this;
  for (auto& [name, value] : result.minimised_) value = value.detach();
  for (auto& [name, value] : result.logged_) value = value.detach();
  return result;
}

}  // namespace vaetl
