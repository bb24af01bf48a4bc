#include "vaetl/recipe/latent_path.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/nn/rebuild.hpp"
#include "vaetl/train/evaluate.hpp"

namespace vaetl::recipe {
namespace {

constexpr std::int64_t decoded_together = 500;  // bounds the memory of activations
constexpr double least_sine = 1e-4;             // directions that are alike, or opposite: no circle is the right one

// Indices of the stop before each step, and the share of the way to the next.
struct StepsOfWalk {
  at::Tensor from, to, share;
};

StepsOfWalk steps_of_walk(std::int64_t stops, std::int64_t count) {
  const at::Tensor position = at::arange(count, at::kDouble).mul_(static_cast<double>(stops)).div_(count);
  const at::Tensor from = position.floor().to(at::kLong);
  return {from, from.add(1).remainder(stops), position - from};
}

struct CodeOfOne {
  at::Tensor code, condition;  // (1, Z), (1)
};

CodeOfOne code_of_one(Model& model, const Dataset& example) {
  if (example.size() != 1) throw DataError({"interpolate", "one example", std::to_string(example.size()), {}});
  CodeOfOne found;
  visit(model, example, [&](Pass& pass) { found = {code_of(pass), pass.condition()}; });
  return found;
}

}  // namespace

at::Tensor point_between(const at::Tensor& a, const at::Tensor& b, const at::Tensor& share, Way way) {
  const at::Tensor t = share.to(a.options()).unsqueeze(1), line = at::lerp(a, b, t);
  if (way == Way::line) return line;
  const at::Tensor cosine = at::cosine_similarity(a, b, 1, 1e-12).clamp_(-1, 1).unsqueeze(1);
  const at::Tensor angle = cosine.acos(), sine = angle.sin();
  const at::Tensor circle = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / sine;
  return at::where(sine < least_sine, line, circle);
}

Generated interpolate(Model& model, const Dataset& first, const Dataset& last, const InterpolateOptions& given) {
  const auto options = from_json<InterpolateOptions>(to_json(given), "interpolate");
  require_capability(model, Encoder::capability, "interpolate");
  const CodeOfOne from = code_of_one(model, first), to = code_of_one(model, last);
  auto& decoder = decoder_of(model, from.code, "interpolate");
  const Way way = offers(model, Variational::capability) ? Way::circle : Way::line;
  const at::Tensor path = point_between(from.code, to.code, at::linspace(0, 1, options.count, at::kDouble), way);
  const at::Tensor condition = from.condition.defined() ? from.condition.expand(options.count) : at::Tensor();
  const at::NoGradGuard no_grad;
  model.eval();
  std::vector<at::Tensor> parts;
  for (std::int64_t at = 0; at < options.count; at += decoded_together) {
    const at::Tensor classes = condition.defined() ? condition.slice(0, at, at + decoded_together) : condition;
    parts.push_back(decoder.decode(path.slice(0, at, at + decoded_together), classes)->mean().cpu());
  }
  return {at::cat(parts), condition.defined() ? condition.cpu() : condition};
}

Generated walk(Model& model, std::int64_t stops, const GenerateOptions& given) {
  auto options = from_json<GenerateOptions>(to_json(given), "walk");
  if (stops < 2) throw ConfigError({"walk", "at least 2 stops", std::to_string(stops), {}});
  if (options.count < stops) {
    throw ConfigError({"walk", fmt::format("at least {} steps, to pass as many stops", stops),
                       std::to_string(options.count), "make count larger"});
  }
  const at::Tensor one_each = conditions_for(model, options);
  const StepsOfWalk steps = steps_of_walk(stops, options.count);
  options.count = stops;
  const at::Tensor noise = draw_noise(model, options);
  const std::int64_t choosing = choosing_columns(model);
  const at::Tensor drawn = noise.slice(1, choosing);
  at::Tensor path =
      point_between(drawn.index_select(0, steps.from), drawn.index_select(0, steps.to), steps.share, Way::circle);
  if (options.truncation > 0)
    path.clamp_(-options.truncation * options.temperature, options.truncation * options.temperature);
  if (choosing > 0) path = at::cat({noise.slice(0, 0, 1).slice(1, 0, choosing).expand({path.size(0), -1}), path}, 1);
  vaetl::seed(random_key(options.seed, Purpose::noise));
  if (!one_each.defined() || options.condition) return generate_from(model, path, one_each);
  const std::int64_t classes = conditions_of(model);
  const at::Tensor all = at::arange(classes, at::kLong).repeat({path.size(0)});
  return generate_from(model, path.repeat_interleave(classes, 0), all);
}

}  // namespace vaetl::recipe
