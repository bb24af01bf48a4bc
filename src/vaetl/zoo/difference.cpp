#include "vaetl/zoo/difference.hpp"

#include <ATen/ATen.h>

#include <limits>
#include <set>

#include "vaetl/core/text.hpp"
#include "vaetl/zoo/entry.hpp"

namespace vaetl::zoo {
namespace {

const std::set<std::string> follows_from_the_rest = {"name",        "card_sha256", "weights",       "files",
                                                     "test_vector", "metrics",     "format_version"};

// Objects key by key, everything else whole.
void compare_keys(const std::string& path, const Json& a, const Json& b, std::vector<KeyDifference>& out) {
  if (!a.is_object() || !b.is_object()) {
    if (!same_json(a, b)) out.push_back({path, a, b});
    return;
  }
  const auto inner = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  for (const auto& [key, value] : a.items()) {
    if (path.empty() && follows_from_the_rest.contains(key)) continue;
    compare_keys(inner(key), value, b.value(key, Json()), out);
  }
  for (const auto& [key, value] : b.items()) {
    if (path.empty() && follows_from_the_rest.contains(key)) continue;
    if (!a.contains(key)) out.push_back({inner(key), Json(), value});
  }
}

TensorDifference compare_values(const std::string& name, const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor left = a.cpu().to(at::kDouble), right = b.cpu().to(at::kDouble);
  const at::Tensor same = left.eq(right).logical_or(left.isnan().logical_and(right.isnan()));
  const at::Tensor apart =
      (left - right).abs().masked_fill(same, 0).nan_to_num(std::numeric_limits<double>::infinity());
  return {.name = name,
          .values = left.numel(),
          .differing = left.numel() - same.sum().item<std::int64_t>(),
          .largest = left.numel() > 0 ? apart.max().item<double>() : 0};
}

std::string tensor_kind(const at::Tensor& tensor) {
  return dtype_name(tensor.scalar_type()) + " " + shape_text(tensor.sizes().vec());
}

void compare_tensors(const Weights& a, const Weights& b, Difference& out) {
  for (const auto& [name, tensor] : a) {
    const auto other = b.find(name);
    if (other == b.end()) {
      out.tensors.push_back({.name = name, .note = "only in the first"});
    } else if (tensor_kind(tensor) != tensor_kind(other->second)) {
      out.tensors.push_back({.name = name, .note = tensor_kind(tensor) + " and " + tensor_kind(other->second)});
    } else if (auto found = compare_values(name, tensor, other->second); found.differing > 0) {
      out.tensors.push_back(std::move(found));
    } else {
      ++out.equal_tensors;
    }
  }
  for (const auto& [name, tensor] : b) {
    if (!a.contains(name)) out.tensors.push_back({.name = name, .note = "only in the second"});
  }
}

}  // namespace

Difference difference(const Pretrained& a, const Pretrained& b) {
  Difference found;
  const Json left = card_json(a.card), right = card_json(b.card);
  compare_keys({}, left, right, found.description);
  const auto values = [](const Card& card) {
    Json json = Json::object();
    for (const auto& [name, metric] : card.metrics) json[name] = metric.value;
    return json;
  };
  compare_keys("metrics", values(a.card), values(b.card), found.metrics);
  compare_tensors(state(*a.model), state(*b.model), found);
  return found;
}

}  // namespace vaetl::zoo
