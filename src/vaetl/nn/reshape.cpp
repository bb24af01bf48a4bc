#include "vaetl/nn/reshape.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/upsample_linear1d.h>

#include <cmath>

#include "vaetl/core/signature.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

// (h, H): what resizing a line of H pixels to h does, as a matrix.
at::Tensor resizing_matrix(std::int64_t from, std::int64_t to, const at::TensorOptions& options) {
  const at::Tensor unit = at::eye(from, options).view({1, 1, from, from});
  return at::_upsample_bilinear2d_aa(unit, {to, from}, /*align_corners=*/false).view({to, from});
}

std::int64_t values_of(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (std::int64_t size : shape) count *= size;
  return count;
}

// All dimensions but one are equal.
bool differ_in(const at::Tensor& from, const at::Tensor& to, std::int64_t dim) {
  if (from.dim() != to.dim() || from.dim() <= dim) return false;
  for (std::int64_t i = 0; i < from.dim(); ++i) {
    if (i != dim && from.size(i) != to.size(i)) return false;
  }
  return true;
}

bool is_maps(const std::vector<std::int64_t>& shape, std::int64_t values) {
  return shape.size() == 3 && values_of(shape) == values;
}

std::optional<std::int64_t> root_of(std::int64_t square) {
  const auto root = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(square))));
  return root * root == square ? std::optional(root) : std::nullopt;
}

// What a dense layer sees: as the rule says, or square maps of the convolution before it, or with none the whole input.
std::optional<MapShapes> maps_of(const Reshaping& r) {
  const std::int64_t n = r.from.size(1), m = r.to.size(1);
  const auto fits = [&](const MapShapes& maps) { return is_maps(maps.from, n) && is_maps(maps.to, m); };
  if (r.rule.maps) return fits(*r.rule.maps) ? r.rule.maps : std::nullopt;
  const std::int64_t channels = r.maps_before;
  if (channels == 0) {
    const MapShapes input{r.context.from_input, r.context.to_input};
    return fits(input) ? std::optional(input) : std::nullopt;
  }
  if (n % channels != 0 || m % channels != 0) return std::nullopt;
  const auto before = root_of(n / channels), after = root_of(m / channels);
  if (!before || !after) return std::nullopt;
  return MapShapes{{channels, *before, *before}, {channels, *after, *after}};
}

std::string maps_text(const std::vector<std::int64_t>& maps) {
  return fmt::format("{} × {} × {}", maps[0], maps[1], maps[2]);
}

std::string channels_note(std::int64_t from, std::int64_t to) {
  if (to == 1) return fmt::format("sum of {} input channels", from);
  if (from == 1) return fmt::format("its one input channel repeated {} times and divided by {}", to, to);
  return fmt::format("{} input channels shared among {}", from, to);
}

Reshaped reshape_channels(const Reshaping& r) {
  if (r.transposed) return {{}, "a convolution that is not transposed, as this one's second dimension is its outputs"};
  const bool only_sum = r.rule.on_mismatch == "sum_channels";
  if (r.from.dim() >= 3 && differ_in(r.from, r.to, 1) && (!only_sum || r.to.size(1) == 1)) {
    return {with_channels(r.from, r.to.size(1)), channels_note(r.from.size(1), r.to.size(1)), r.to.numel()};
  }
  const auto& [before, after] = std::tie(r.context.from_input, r.context.to_input);
  const bool first = r.maps_before == 0 && r.from.dim() == 2;
  const bool dense = first && differ_in(r.from, r.to, 1) && is_maps(before, r.from.size(1)) &&
                     is_maps(after, r.to.size(1)) && before[1] == after[1] && before[2] == after[2];
  if (dense && !only_sum) {
    return {with_maps(r.from, {before, after}), channels_note(before[0], after[0]), r.to.numel()};
  }
  return {{}, "another number of input channels and nothing else"};
}

Reshaped reshape_resize(const Reshaping& r) {
  const std::int64_t along = r.from.dim() - 2;
  const bool table = r.name.find("pos") != std::string::npos && (along == 0 || (along == 1 && r.from.size(0) == 1));
  if (table && differ_in(r.from, r.to, along)) {
    return {with_positions(r.from, r.to.size(along)),
            fmt::format("{} positions interpolated to {}", r.from.size(along), r.to.size(along)), r.to.numel()};
  }
  if (r.from.dim() != 2 || !differ_in(r.from, r.to, 1)) {
    return {{}, "a dense layer of maps of another size, or a table of positions"};
  }
  const auto maps = maps_of(r);
  if (!maps) return {{}, "\"maps\": {\"from\": [C, H, W], \"to\": [C, H, W]} of as many values as its columns"};
  return {with_maps(r.from, *maps),
          fmt::format("weights for maps of {} resized to {}", maps_text(maps->from), maps_text(maps->to)),
          r.to.numel()};
}

std::vector<std::string> in_common(const RowNames& names) {
  const std::set<std::string> known(names.from.begin(), names.from.end());
  std::vector<std::string> common;
  for (const auto& name : names.to) {
    if (known.contains(name)) common.push_back(name);
  }
  return common;
}

Reshaped reshape_rows(const Reshaping& r) {
  if (!differ_in(r.from, r.to, 0)) return {{}, "another number of rows and nothing else"};
  if (!r.rule.names || r.rule.names->from.empty() || r.rule.names->to.empty()) {
    return {{}, "the names of its rows on both sides: \"names\": {\"from\": […], \"to\": […]}"};
  }
  const RowNames& names = *r.rule.names;
  if (static_cast<std::int64_t>(names.from.size()) != r.from.size(0) ||
      static_cast<std::int64_t>(names.to.size()) != r.to.size(0)) {
    return {{},
            fmt::format("{} names for the file and {} for the model, not {} and {}", r.from.size(0), r.to.size(0),
                        names.from.size(), names.to.size())};
  }
  const auto common = in_common(names);
  if (common.empty()) return {{}, "names in common: the file has none of " + join(names.to)};
  constexpr std::size_t few = 4;
  const std::string listed = join(std::span(common).first(std::min(few, common.size())));
  return {with_named_rows(r.from, r.to, names),
          fmt::format("{} of {} rows by name ({}{}), the others fresh", common.size(), r.to.size(0), listed,
                      common.size() > few ? ", …" : ""),
          static_cast<std::int64_t>(common.size()) * (r.to.numel() / r.to.size(0))};
}

Reshaped reshape_first_rows(const Reshaping& r) {
  if (!differ_in(r.from, r.to, 0) || r.to.size(0) == 0) return {{}, "another number of rows and nothing else"};
  const std::int64_t count = std::min(r.from.size(0), r.to.size(0));
  return {with_first_rows(r.from, r.to),
          fmt::format("the first {} of {} rows{}", count, r.from.size(0),
                      count < r.to.size(0) ? fmt::format(" for the first of {}, the others fresh", r.to.size(0)) : ""),
          count * (r.to.numel() / r.to.size(0))};
}

}  // namespace

at::Tensor with_channels(const at::Tensor& weight, std::int64_t channels) {
  const std::int64_t count = weight.size(1);
  std::vector<std::int64_t> shape = weight.sizes().vec();
  shape[1] = channels;
  at::Tensor result = weight.new_zeros(shape);
  for (std::int64_t i = 0; i < std::max(count, channels); ++i) {
    const std::int64_t to = i % channels, from = i % count;
    const std::int64_t sharing = channels > count ? (channels - from + count - 1) / count : 1;
    result.select(1, to).add_(weight.select(1, from) / sharing);
  }
  return result;
}

at::Tensor with_named_rows(const at::Tensor& from, const at::Tensor& fresh, const RowNames& names) {
  at::Tensor result = fresh.detach().clone();
  for (std::size_t i = 0; i < names.to.size(); ++i) {
    const auto found = std::find(names.from.begin(), names.from.end(), names.to[i]);
    if (found == names.from.end()) continue;
    result[static_cast<std::int64_t>(i)].copy_(from[found - names.from.begin()]);
  }
  return result;
}

at::Tensor with_first_rows(const at::Tensor& from, const at::Tensor& fresh) {
  at::Tensor result = fresh.detach().clone();
  const std::int64_t count = std::min(from.size(0), fresh.size(0));
  result.narrow(0, 0, count).copy_(from.narrow(0, 0, count));
  return result;
}

at::Tensor with_maps(const at::Tensor& weight, const MapShapes& maps) {
  const auto& [from, to] = std::tie(maps.from, maps.to);
  const auto options = weight.options().dtype(at::kFloat);
  const at::Tensor pictures = weight.to(at::kFloat).reshape({weight.size(0), from[0], from[1], from[2]});
  const at::Tensor rows = resizing_matrix(to[1], from[1], options), columns = resizing_matrix(to[2], from[2], options);
  return with_channels(at::einsum("ochw,hi,wj->ocij", {pictures, rows, columns}), to[0]).flatten(1);
}

at::Tensor with_positions(const at::Tensor& table, std::int64_t positions) {
  const std::int64_t length = table.size(-2), width = table.size(-1);
  const at::Tensor lines = table.to(at::kFloat).reshape({1, length, width}).transpose(1, 2).contiguous();
  std::vector<std::int64_t> shape = table.sizes().vec();
  shape[shape.size() - 2] = positions;
  return at::upsample_linear1d(lines, {positions}, /*align_corners=*/false).transpose(1, 2).reshape(shape);
}

Reshaped reshape(const Reshaping& wanted) {
  const at::NoGradGuard no_grad;
  if (wanted.from.numel() == 0 || wanted.to.numel() == 0) return {{}, "values on both sides"};
  const std::string& rule = wanted.rule.on_mismatch;
  if (rule == "channels" || rule == "sum_channels") return reshape_channels(wanted);
  if (rule == "resize") return reshape_resize(wanted);
  if (rule == "rows") return reshape_rows(wanted);
  if (rule == "first_rows") return reshape_first_rows(wanted);
  return {};
}

std::string rule_that_fits(const Reshaping& refused) {
  LoadRule rule = refused.rule;
  rule.maps.reset();
  for (const char* name : {"channels", "resize"}) {
    rule.on_mismatch = name;
    const Reshaping changed{refused.name,    refused.from,        refused.to,        rule,
                            refused.context, refused.maps_before, refused.transposed};
    if (refused.rule.on_mismatch != name && reshape(changed).value.defined()) return name;
  }
  return {};
}

}  // namespace vaetl
