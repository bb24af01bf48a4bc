#include "vaetl/objectives/corruption.hpp"

#include <ATen/ops/rand_like.h>
#include <ATen/ops/randn_like.h>
#include <ATen/ops/where.h>

namespace vaetl {

template <>
Registry<Corruption>& registry<Corruption>() {
  static Registry<Corruption> table = Registry<Corruption>("corruption")
                                          .add<corruptions::Gaussian>()
                                          .add<corruptions::Masking>()
                                          .add<corruptions::SaltAndPepper>();
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

at::Tensor Gaussian::draw(const at::Tensor& x) const { return at::randn_like(x); }

at::Tensor Gaussian::apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo&) const {
  return x.add(noise, options_.sigma);
}

at::Tensor Masking::draw(const at::Tensor& x) const { return at::rand_like(x); }

at::Tensor Masking::apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo&) const {
  return x.masked_fill(noise.lt(options_.share), 0);
}

at::Tensor SaltAndPepper::draw(const at::Tensor& x) const { return at::rand_like(x); }

at::Tensor SaltAndPepper::apply(const at::Tensor& x, const at::Tensor& noise, const FieldInfo& info) const {
  const at::Tensor pepper = noise.lt(options_.share / 2), salt = noise.lt(options_.share);
  if (info.low < info.high) return x.masked_fill(salt, info.high).masked_fill_(pepper, info.low);
  return at::where(pepper, x.min(), at::where(salt, x.max(), x));
}

}  // namespace corruptions
}  // namespace vaetl
