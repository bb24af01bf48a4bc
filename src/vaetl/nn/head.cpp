#include "vaetl/nn/head.hpp"

#include <ATen/ops/dropout.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/signature.hpp"
#include "vaetl/nn/taps.hpp"

namespace vaetl::nn {

at::Tensor HeadLayers::forward(const at::Tensor& features, double dropout) const {
  at::Tensor output = run(dropout == 0 ? features : at::dropout(features, dropout, module->is_training()));
  Taps::show(module.get(), output);
  return output;
}

HeadLayers make_head(std::int64_t features, const std::vector<std::int64_t>& hidden, std::int64_t out) {
  if (hidden.empty()) {
    const auto linear = std::make_shared<Linear>(features, out);
    return {linear, [kept = linear.get()](const at::Tensor& x) { return kept->forward(x); }};
  }
  const auto layers = std::make_shared<Sequence>();
  for (const std::int64_t width : hidden) {
    layers->add(std::make_shared<Linear>(features, width));
    layers->add(Activation("relu"));
    features = width;
  }
  layers->add(std::make_shared<Linear>(features, out));
  return {layers, [kept = layers.get()](const at::Tensor& x) { return kept->forward(x); }};
}

void check_head(const std::vector<std::int64_t>& hidden, std::int64_t out) {
  if (hidden.empty() || out > 0) return;
  throw ConfigError({"head", "none where there are no classes", shape_text(hidden), "leave it out, or set classes"});
}

}  // namespace vaetl::nn
