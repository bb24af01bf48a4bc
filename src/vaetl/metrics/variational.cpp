#include "vaetl/metrics/variational.hpp"

#include "vaetl/core/random.hpp"
#include "vaetl/nn/likelihood.hpp"
#include "vaetl/nn/sequence.hpp"
#include "vaetl/nn/variational.hpp"

namespace vaetl::metrics {
namespace {

// What is decoded at once: tensors of this many values stay in the processor's caches.
constexpr std::int64_t decoded_values = std::int64_t{1} << 20;

// log weights (S, N), so many rows at a time that memory is bounded for large examples too.
at::Tensor log_weights_of_rows(Pass& pass, const Gaussian& q, const at::Tensor& noise, std::int64_t rows) {
  auto& model = require<Variational>(pass.model());
  const at::Tensor& x = pass.fields().input();
  const at::Tensor condition = pass.condition(), lengths = nn::batch_lengths(pass.fields(), "metric nll");
  std::vector<at::Tensor> parts;
  for (std::int64_t start = 0; start < x.size(0); start += rows) {
    const auto part = [&](const at::Tensor& values) {
      return values.defined() ? values.slice(0, start, start + rows) : values;
    };
    parts.push_back(log_weights(model, {part(q.mean), part(q.log_var)}, noise.slice(1, start, start + rows), part(x),
                                part(condition), part(lengths)));
  }
  return at::cat(parts, 1).to(at::kDouble);
}

}  // namespace

Elbo::Elbo(Options) : generator_(make_generator(random_key(0, Purpose::evaluate))) {}

void Elbo::update(Pass& pass) {
  auto& model = require<Variational>(pass.model());
  const Gaussian& q = pass.posterior();
  const at::Tensor noise = at::randn(q.mean.sizes(), generator_, at::kFloat).to(q.mean);
  const at::Tensor z = q.mean + (0.5 * q.log_var).exp() * noise;
  const auto likelihood = model.decode(z, pass.condition());
  const at::Tensor log_prob = nn::log_prob_of(*likelihood, pass.fields(), "metric elbo");
  mean_.add(log_prob - kl_to_prior(model, q, z, pass.condition()), pass.fields());
}

Nll::Nll(Options options) : options_(options), generator_(make_generator(random_key(0, Purpose::evaluate))) {}

// (S, N, Z), drawn sample by sample: the numbers do not depend on how many are drawn at once.
at::Tensor Nll::draw(std::int64_t samples, const Gaussian& q) {
  std::vector<at::Tensor> noise;
  for (std::int64_t i = 0; i < samples; ++i) noise.push_back(at::randn(q.mean.sizes(), generator_, at::kFloat));
  return at::stack(noise).to(q.mean);
}

void Nll::update(Pass& pass) {
  const at::Tensor& x = pass.fields().input();
  const Gaussian& q = pass.posterior();
  const std::int64_t rows =
      std::max<std::int64_t>(1, decoded_values * x.size(0) / std::max<std::int64_t>(1, x.numel()));
  const std::int64_t at_once = std::max<std::int64_t>(1, rows / std::max<std::int64_t>(1, x.size(0)));
  at::Tensor total;  // log Σ w so far
  for (std::int64_t done = 0; done < options_.samples; done += at_once) {
    const at::Tensor noise = draw(std::min(at_once, options_.samples - done), q);
    const at::Tensor sum = log_weights_of_rows(pass, q, noise, rows).logsumexp(0);
    total = total.defined() ? at::logaddexp(total, sum) : sum;
  }
  mean_.add(std::log(static_cast<double>(options_.samples)) - total, pass.fields());
}

}  // namespace vaetl::metrics
