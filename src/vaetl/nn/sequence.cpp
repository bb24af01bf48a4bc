#include "vaetl/nn/sequence.hpp"

#include <ATen/ops/aminmax.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/where.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/nn/labels.hpp"
#include "vaetl/nn/plain_forms.hpp"

namespace vaetl::nn {
namespace {

struct LeastMost {
  std::int64_t least, most;
};

LeastMost least_most(const at::Tensor& values) {
  const auto [least, most] = at::aminmax(values);
  return {least.item<std::int64_t>(), most.item<std::int64_t>()};
}

// (N, C, H, W): of sound say, whose `length` counts columns. All of it is one picture, silence as well.
bool is_picture(const at::Tensor& values) { return values.dim() == 4; }

}  // namespace

at::Tensor lengths_of(const Fields& fields, std::int64_t steps, const std::string& by) {
  if (!fields.has("length")) return {};
  const at::Tensor& found = fields["length"];
  const at::Tensor& input = fields.input();
  if (found.dim() != 1 || found.size(0) != input.size(0) || found.scalar_type() != at::kLong) {
    throw DataError({by, fmt::format("lengths of shape ({}), int64, one a sequence", input.size(0)),
                     fmt::format("{}, {}", shape_text(found.sizes().vec()), dtype_name(found.scalar_type())),
                     "leave `length` out where all sequences are as long"});
  }
  if (!may_look_at(found)) return found.clamp(1, steps);
  if (found.numel() == 0) return found;
  const auto [least, most] = least_most(found);
  if (least >= 1 && most <= steps) return found;
  throw DataError({by, fmt::format("lengths from 1 to {}, the steps of the batch", steps),
                   fmt::format("the length {}", least < 1 ? least : most),
                   least < 1 ? "leave empty sequences out" : "pad the sequences to the longest"});
}

at::Tensor batch_lengths(const Fields& fields, const std::string& by) {
  return fields.has("length") && !is_picture(fields.input()) ? lengths_of(fields, fields.input().size(1), by)
                                                             : at::Tensor();
}

at::Tensor lengths_of_ids(const at::Tensor& ids) {
  const at::Tensor places = at::arange(1, ids.size(1) + 1, ids.options());
  return (ids.ne(padding_id) * places).amax(1);
}

at::Tensor before_end(const at::Tensor& lengths, std::int64_t steps) {
  return at::arange(steps, lengths.options()).unsqueeze(0) < lengths.unsqueeze(1);
}

at::Tensor mean_each(const at::Tensor& each, const Fields& fields, const std::string& by) {
  if (!fields.has("length") || is_picture(each)) return each.flatten(1).mean(1);
  const std::int64_t steps = each.size(1);
  const at::Tensor lengths = lengths_of(fields, steps, by);
  const at::Tensor of_steps = each.reshape({each.size(0), steps, -1}).mean(2);
  return (of_steps * before_end(lengths, steps)).sum(1) / lengths;
}

at::Tensor reversed(const at::Tensor& x, const at::Tensor& lengths) {
  if (!lengths.defined()) return x.flip(1);
  const at::Tensor time = at::arange(x.size(1), lengths.options()).unsqueeze(0), ends = lengths.unsqueeze(1);
  const at::Tensor from = at::where(time < ends, ends - 1 - time, time);
  return x.gather(1, from.unsqueeze(2).expand_as(x));
}

at::Tensor last_step(const at::Tensor& x, const at::Tensor& lengths) {
  if (!lengths.defined()) return x.select(1, x.size(1) - 1);
  const at::Tensor place = (lengths - 1).view({-1, 1, 1}).expand({-1, 1, x.size(2)});
  return x.gather(1, place).squeeze(1);
}

void check_ids(const at::Tensor& ids, std::int64_t vocabulary, const std::string& by) {
  if (!may_look_at(ids) || ids.numel() == 0) return;
  const auto [least, most] = least_most(ids);
  if (least >= 0 && most < vocabulary) return;
  throw DataError({by, fmt::format("token ids from 0 to {}, of its vocabulary of {}", vocabulary - 1, vocabulary),
                   fmt::format("the id {}", least < 0 ? least : most),
                   "read the text as the model's training data were read, or give the model a larger vocabulary"});
}

at::Tensor step_labels(const at::Tensor& target, const at::Tensor& outputs, const at::Tensor& lengths,
                       const std::string& by, bool everywhere) {
  if (target.sizes() != outputs.sizes().slice(0, 2)) {
    throw DataError({by,
                     fmt::format("a label for each step, shape ({}, {})", outputs.size(0), outputs.size(1)),
                     "a target of shape " + shape_text(target.sizes().vec()),
                     {}});
  }
  const at::Tensor known = lengths.defined() ? target * before_end(lengths, target.size(1)) : target;
  return class_labels(known.flatten(), outputs.size(2), by, everywhere).view(target.sizes());
}

at::Tensor step_values(const at::Tensor& target, const at::Tensor& outputs, const std::string& by) {
  const at::Tensor values = target.dim() == 2 ? target.unsqueeze(2) : target;
  if (values.sizes() == outputs.sizes()) return values.to(outputs.scalar_type());
  throw DataError({by, "a target of shape " + shape_text(outputs.sizes().vec()) + ", as the model puts out",
                   shape_text(target.sizes().vec()), "give the model as many outputs as a step has values"});
}

}  // namespace vaetl::nn
