#include "vaetl/data/transforms/replace.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/signature.hpp"
#include "vaetl/data/to_device.hpp"

namespace vaetl::transforms {
namespace {

// Top or left edge of a box so long, uniform over the whole pixels where it fits.
at::Tensor place(const at::Tensor& u, const at::Tensor& length, std::int64_t size) {
  return u.mul(static_cast<double>(size + 1) - length).floor_();
}

// An example's partner (N) int64 and its own share (N), on the CPU.
struct Pairing {
  at::Tensor partner, share;
};

Pairing draw_pairing(const Fields& fields, double alpha, const std::string& by, at::Generator& generator) {
  if (fields.has("target.other")) {
    throw ConfigError({by, "labels that are not mixed yet", "a second transform that mixes", "leave one of them out"});
  }
  const std::int64_t count = fields.input().size(0);
  const at::Tensor partner = at::randperm(count, generator, at::kLong);
  // In double: with a small alpha both of the two Gamma numbers are tiny.
  const at::Tensor beta = at::_sample_dirichlet(at::full({count, 2}, alpha, at::kDouble), generator);
  return {partner, beta.select(1, 0).to(at::kFloat)};
}

// share · own + (1 − share) · other, a share for each example.
at::Tensor blend(const at::Tensor& own, const at::Tensor& other, const at::Tensor& share) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(own.dim()), 1);
  shape[0] = -1;
  return at::lerp(other, own, share.to(own.scalar_type()).view(shape));
}

void mix_targets(Fields& fields, const at::Tensor& partner, const at::Tensor& share) {
  if (!fields.has("target")) return;
  const at::Tensor target = fields.target(), other = target.index_select(0, partner);
  if (target.is_floating_point()) {
    fields.set("target", blend(target, other, share));
  } else {
    fields.set("target.other", other);
    fields.set("mix", share);
  }
}

// The share of its own target, by what both examples count for. Where neither has a weight, any share does.
at::Tensor mix_weights(Fields& fields, const at::Tensor& partner, const at::Tensor& share) {
  if (!fields.has("weight")) return share;
  const at::Tensor weight = fields["weight"], own = weight * share;
  const at::Tensor mixed = own + weight.index_select(0, partner) * (1 - share);
  fields.set("weight", mixed);
  return at::where(mixed.gt(0), own / mixed, share);
}

// float (4, N) whole pixels: the box of the share 1 − own, cut off at the edges.
at::Tensor partner_boxes(const at::Tensor& own, const at::Tensor& u, std::int64_t height, std::int64_t width) {
  const at::Tensor side = at::rsub(own, 1).sqrt_();
  const auto cut = [&](const at::Tensor& where, std::int64_t size) {
    const auto whole = static_cast<double>(size);
    const at::Tensor length = side.mul(whole).floor_();
    const at::Tensor from = where.mul(whole).floor_().sub_(length.div(2).floor_());
    return std::pair(from.clamp(0, whole), (from + length).clamp_(0, whole));
  };
  const auto [top, bottom] = cut(u[0], height);
  const auto [left, right] = cut(u[1], width);
  return at::stack({top, left, bottom - top, right - left});
}

}  // namespace

void Erase::Options::validate() const {
  check_interval("erase.scale", scale, 1e-4, 1);
  check_interval("erase.ratio", ratio, 1e-2, 1e2);
}

Erase::Erase(Options options) : options_(std::move(options)) { options_.validate(); }

void Erase::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor& images = images_of(fields, name);
  const at::Tensor u = draw_uniform(5, images, generator);
  const at::Tensor sizes = box_sizes(u.narrow(0, 1, 2), images, options_.scale, options_.ratio).round_().clamp_min_(1);
  // What is spared has a box of no height.
  const at::Tensor height = sizes[0] * u[0].lt(options_.p), width = sizes[1];
  const at::Tensor boxes =
      at::stack({place(u[3], sizes[0], images.size(2)), place(u[4], width, images.size(3)), height, width});
  at::Tensor filling = at::zeros({}, images.options());
  if (options_.fill == "noise") {
    const at::Tensor low = images.amin({1, 2, 3}, true), high = images.amax({1, 2, 3}, true);
    filling = at::lerp(low, high, to_device(at::rand(images.sizes(), generator, at::kFloat), images.device()));
  }
  fields.set("input", fill_boxes(images, boxes, filling));
}

void Mixup::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor input = fields.input();
  if (!input.is_floating_point()) {
    throw DataError({name, "input of floats", dtype_name(input.scalar_type()), "leave it out for tokens"});
  }
  if (fields.has("length")) {
    throw DataError({name, "examples of one length", "the field \"length\"", "leave it out for padded sequences"});
  }
  const Pairing drawn = draw_pairing(fields, options_.alpha, name, generator);
  const at::Tensor partner = to_device(drawn.partner, input.device()), share = to_device(drawn.share, input.device());
  fields.set("input", blend(input, input.index_select(0, partner), share));
  mix_targets(fields, partner, mix_weights(fields, partner, share));
}

void CutMix::apply(Fields& fields, at::Generator& generator) const {
  const at::Tensor images = images_of(fields, name);
  const std::int64_t height = images.size(2), width = images.size(3);
  const Pairing drawn = draw_pairing(fields, options_.alpha, name, generator);
  const at::Tensor u = at::rand({2, images.size(0)}, generator, at::kFloat);
  const at::Tensor boxes = to_device(partner_boxes(drawn.share, u, height, width), images.device());
  const at::Tensor partner = to_device(drawn.partner, images.device());
  const at::Tensor kept = at::rsub(boxes[2].mul(boxes[3]).div_(static_cast<double>(height * width)), 1);
  fields.set("input", fill_boxes(images, boxes, images.index_select(0, partner)));
  mix_targets(fields, partner, mix_weights(fields, partner, kept));
}

}  // namespace vaetl::transforms
