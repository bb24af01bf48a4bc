#include "vaetl/metrics/reconstruction.hpp"

#include <ATen/ops/binary_cross_entropy.h>
#include <ATen/ops/mse_loss.h>

#include "vaetl/core/error.hpp"
#include "vaetl/nn/likelihood.hpp"
#include "vaetl/nn/rebuild.hpp"
#include "vaetl/nn/sequence.hpp"

namespace vaetl::metrics {
namespace {

// The input, which is compared with what is rebuilt of it.
const at::Tensor& compared_input(Pass& pass, std::string_view metric) {
  const at::Tensor& x = pass.fields().input();
  if (x.is_floating_point()) return x;
  throw ConfigError({fmt::format("metric {}", metric), "inputs that are numbers", dtype_name(x.scalar_type()),
                     "choose another metric"});
}

}  // namespace

void ReconstructionMse::update(Pass& pass) {
  const at::Tensor& x = compared_input(pass, name);
  const at::Tensor each = at::mse_loss(rebuild(pass, "metric reconstruction_mse")->mean(), x, at::Reduction::None);
  mean_.add(nn::mean_each(each, pass.fields(), "metric reconstruction_mse"), pass.fields());
}

void ReconstructionBce::update(Pass& pass) {
  const at::Tensor& x = compared_input(pass, name);
  const auto likelihood = rebuild(pass, "metric reconstruction_bce");
  if (likelihood->has_logits()) {
    mean_.add(-nn::mean_log_prob(*likelihood, pass.fields(), "metric reconstruction_bce"), pass.fields());
  } else {
    const at::Tensor each =
        at::binary_cross_entropy(likelihood->mean().clamp(1e-7, 1 - 1e-7), x, {}, at::Reduction::None);
    mean_.add(nn::mean_each(each, pass.fields(), "metric reconstruction_bce"), pass.fields());
  }
}

}  // namespace vaetl::metrics
