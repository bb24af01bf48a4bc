#include "vaetl/objectives/corruption.hpp"

#include <ATen/ops/rand_like.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>

#include "vaetl/objectives/picture_corruption.hpp"

namespace vaetl {

template <>
Registry<Corruption>& registry<Corruption>() {
  static Registry<Corruption> table = Registry<Corruption>("corruption")
                                          .add<corruptions::Gaussian>()
                                          .add<corruptions::Masking>()
                                          .add<corruptions::SaltAndPepper>()
                                          .add<corruptions::Box>()
                                          .add<corruptions::Strokes>()
                                          .add<corruptions::Halve>();
  return table;
}

void Codec<Spec<Corruption>>::read(const Json& json, const std::string& path, Spec<Corruption>& value, const Rule&) {
  detail::read_spec(json, path, value.name, value.options);
  value = registry<Corruption>().complete(value, path);
}

Json Codec<Spec<Corruption>>::write(const Spec<Corruption>& value) {
  return value.name.empty() ? Json() : detail::write_spec(value.name, value.options);
}

Json Codec<Spec<Corruption>>::schema(const Rule&) { return Json{{"type", Json::array({"string", "object"})}}; }

namespace corruptions {
namespace {

// The least and the greatest value that an input can be: as declared, or else the batch's own. 0-dim, on x's device.
std::pair<at::Tensor, at::Tensor> extremes(const at::Tensor& x, const FieldInfo& info) {
  if (!(info.low < info.high)) return {x.min(), x.max()};
  return {at::scalar_tensor(info.low, x.options()), at::scalar_tensor(info.high, x.options())};
}

}  // namespace

at::Tensor Gaussian::draw(const at::Tensor& x) const { return at::randn_like(x); }

at::Tensor Gaussian::apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo& info) const {
  at::Tensor noisy = x.add(noise, options_.sigma);
  if (!options_.clip) return noisy;
  const auto [low, high] = extremes(x, info);
  return noisy.clamp_(low, high);
}

at::Tensor Masking::draw(const at::Tensor& x) const { return at::rand_like(x); }

at::Tensor Masking::apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo&) const {
  return x.masked_fill(noise.lt(options_.share), 0);
}

at::Tensor Masking::missing(const at::Tensor& /*x*/, const at::Tensor& noise) const { return noise.lt(options_.share); }

at::Tensor SaltAndPepper::draw(const at::Tensor& x) const { return at::rand_like(x); }

at::Tensor SaltAndPepper::apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo& info) const {
  const at::Tensor pepper = noise.lt(options_.share / 2), salt = noise.lt(options_.share);
  const auto [low, high] = extremes(x, info);
  return at::where(pepper, low, at::where(salt, high, x));
}

}  // namespace corruptions
}  // namespace vaetl
