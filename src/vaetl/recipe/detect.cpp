#include "vaetl/recipe/detect.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/likelihood.hpp"
#include "vaetl/nn/rebuild.hpp"
#include "vaetl/nn/sequence.hpp"
#include "vaetl/nn/variational.hpp"
#include "vaetl/train/evaluate.hpp"
#include "vaetl/train/features.hpp"

namespace vaetl::recipe {
namespace {

constexpr const char* detecting = "detect";

bool sees_values(const Model& model) {
  const auto inputs = model.signature().inputs;
  const auto found = inputs.find("input");
  return found != inputs.end() && found->second.dtype == at::kFloat;
}

std::string score_of(const Model& model, const std::string& wanted) {
  const std::vector<std::string> allowed = scores_for(model);
  if (allowed.empty()) require_capability(model, Encoder::capability, detecting);
  if (wanted.empty()) return allowed[0];
  if (std::count(allowed.begin(), allowed.end(), wanted) > 0) return wanted;
  throw ConfigError({"score", "one that this model allows: " + join(allowed), quote(wanted), {}});
}

at::Tensor squared_errors(Pass& pass) {
  return nn::mean_squared_error(*rebuild(pass, detecting), pass.fields(), detecting);
}

// At z = mean, where a single decoding tells much the same as many samples.
at::Tensor bound_at_mean(Pass& pass) {
  auto& model = require<Variational>(pass.model());
  const Gaussian& q = pass.posterior();
  const at::Tensor condition = pass.condition();
  const at::Tensor log_prob = nn::log_prob_of(*model.decode(q.mean, condition), pass.fields(), detecting);
  return log_prob - kl_to_prior(model, q, q.mean, condition);
}

// noise (S, Z), the same for every example.
at::Tensor bound_of_samples(Pass& pass, const at::Tensor& noise) {
  auto& model = require<Variational>(pass.model());
  const Gaussian& q = pass.posterior();
  const at::Tensor lengths = nn::batch_lengths(pass.fields(), detecting);
  at::Tensor total = at::zeros({q.mean.size(0)}, q.mean.options());
  for (const at::Tensor& one : noise.to(q.mean).split(1)) {
    total += log_weights(model, q, one.unsqueeze(1).expand({1, q.mean.size(0), q.mean.size(1)}), pass.fields().input(),
                         pass.condition(), lengths)
                 .select(0, 0);
  }
  return total / static_cast<double>(noise.size(0));
}

// Where numbers end the model knows nothing at all: nothing is odder than that.
at::Tensor without_nan(const at::Tensor& scores) {
  return at::where(scores.isnan(), std::numeric_limits<double>::infinity(), scores);
}

}  // namespace

std::vector<std::string> scores_for(const Model& model) {
  std::vector<std::string> scores;
  const auto* encoder = dynamic_cast<const Encoder*>(&model);
  const auto* decoder = dynamic_cast<const Decoder*>(&model);
  const bool variational = offers(model, Variational::capability);
  const bool rebuilds = variational || (encoder && decoder && encoder->feature_size() == decoder->latent_size());
  if (rebuilds && sees_values(model)) scores.emplace_back("reconstruction");
  if (variational) scores.emplace_back("elbo");
  if (encoder) scores.emplace_back("latent");
  return scores;
}

Detector::Detector(Model& model, DetectOptions options, const std::optional<Dataset>& normal)
    : model_(model), options_(std::move(options)) {
  options_.score = score_of(model, options_.score);
  if (options_.samples > 0 && options_.score != "elbo") {
    throw ConfigError({"samples", "the score elbo, whose z they are", quote(options_.score), "leave them out"});
  }
  if (options_.score != "latent") return;
  if (!normal) {
    throw ConfigError({"score latent", "normal data, whose features are known", "none", "name them with --normal"});
  }
  const Dataset features = extract(model, *normal);
  known_.emplace(features.column("features"), normal->classes() > 0 ? normal->labels() : at::Tensor());
}

at::Tensor Detector::scores(const Dataset& data) const {
  if (known_) return without_nan(known_->distances(extract(model_, data).column("features")));
  at::Tensor noise;
  if (options_.samples > 0) {
    auto random = make_generator(random_key(options_.seed, Purpose::evaluate));
    const std::int64_t latent = require<Variational>(model_).latent_size();
    noise = at::randn({options_.samples, latent}, random, at::TensorOptions());
  }
  std::vector<at::Tensor> scores;
  visit(model_, data, [&](Pass& pass) {
    const at::Tensor values = options_.score == "reconstruction" ? squared_errors(pass)
                              : noise.defined()                  ? -bound_of_samples(pass, noise)
                                                                 : -bound_at_mean(pass);
    scores.push_back(values.to(at::kCPU, at::kDouble));
  });
  return without_nan(at::cat(scores));
}

double quantile(const at::Tensor& values, double share) {
  const at::Tensor sorted = std::get<0>(values.to(at::kDouble).sort());
  const double place = share * static_cast<double>(sorted.size(0) - 1);
  const auto low = static_cast<std::int64_t>(place);
  const std::int64_t high = std::min(low + 1, sorted.size(0) - 1);
  const double below = sorted[low].item<double>();
  return below + (place - static_cast<double>(low)) * (sorted[high].item<double>() - below);
}

}  // namespace vaetl::recipe
