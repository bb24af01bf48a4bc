#include "vaetl/recipe/views.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <map>

#include "vaetl/data/reader.hpp"
#include "vaetl/metrics/embedding.hpp"
#include "vaetl/nn/capabilities.hpp"

namespace vaetl::recipe {
namespace {

// t-SNE of so many takes half a second; of twice as many, four times as long.
constexpr std::int64_t mapped_examples = 500, least_mapped = 8, kept_neighbours = 12;

// Four digits are more than a page can show.
double shortened(double value) { return std::strtod(fmt::format("{:.4g}", value).c_str(), nullptr); }

Json points_json(const at::Tensor& map) {
  const at::Tensor points = map.to(at::kFloat).contiguous();
  const float* value = points.const_data_ptr<float>();
  Json json = Json::array();
  for (std::int64_t i = 0; i < points.size(0); ++i) {
    json.push_back({shortened(value[2 * i]), shortened(value[2 * i + 1])});
  }
  return json;
}

// How far neighbours in the map are neighbours among the latents.
void add_trust(Json& json, const at::Tensor& values, const at::Tensor& map) {
  if (values.size(0) < 3 * kept_neighbours) return;
  json["trustworthiness"] = shortened(metrics::trustworthiness(values, map, kept_neighbours));
}

Json principal_map(const at::Tensor& values) {
  const at::Tensor map = metrics::principal_components(values, 2);
  const double share = (map.var(0).sum() / values.var(0).sum()).item<double>();
  Json json{{"method", "pca"}, {"points", points_json(map)}, {"variance_share", shortened(std::min(share, 1.0))}};
  add_trust(json, values, map);
  return json;
}

Json neighbour_map(const at::Tensor& values) {
  const double perplexity = std::min(30.0, std::floor(static_cast<double>(values.size(0)) / 4));
  const at::Tensor map = metrics::tsne(values, {.perplexity = perplexity});
  Json json{{"method", "tsne"}, {"perplexity", perplexity}, {"points", points_json(map)}};
  add_trust(json, values, map);
  return json;
}

// Two dimensions are a map already.
Json maps_of(const at::Tensor& values) {
  if (values.size(1) == 2) return Json::array({{{"method", "latents"}, {"points", points_json(values)}}});
  return Json::array({principal_map(values), neighbour_map(values)});
}

// A conditional model cannot be asked about examples without their class.
bool can_encode(const Model& model, const Dataset& data) {
  const bool blind = offers(model, Conditional::capability) && !data.has("condition") && !data.has("target");
  return offers(model, Encoder::capability) && data.size() > 0 && data.has("input") && !blind;
}

// Of latents that are all alike, as of an encoder that collapsed, there is no map.
bool vary(const at::Tensor& values) {
  const double whole = values.to(at::kDouble).var(0).sum().item<double>();
  return std::isfinite(whole) && whole > 1e-20;
}

}  // namespace

ScoredPart scored_part(const Data& data) {
  if (data.test) return {&*data.test, "test"};
  const auto& validation = data.pipeline.validation;
  return validation ? ScoredPart{&*validation, "validation"} : ScoredPart{};
}

std::optional<LatentSample> sample_latents(Model& model, const Data& data, bool thumbnails) {
  ScoredPart part = scored_part(data);
  if (!part.data) part = {&data.train(), "train"};
  if (!can_encode(model, *part.data)) return std::nullopt;
  const at::Tensor index = spread(part.data->size(), mapped_examples);
  LatentSample sample{.split = part.split, .of = part.data->size(), .latents = {}};
  sample.latents = encode(model, part.data->select(index), {.thumbnails = thumbnails ? sprite_side(index.size(0)) : 0});
  sample.latents.index = index;
  return sample;
}

Json confusion_view(const Predictions& predictions, const Dataset& data, const std::string& split) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> cells;
  const std::int64_t count = predictions.index.size(0);
  const at::Tensor target = predictions.target.contiguous(), called = predictions.called.contiguous();
  for (std::int64_t i = 0; i < count; ++i) {
    ++cells[{target.const_data_ptr<std::int64_t>()[i], called.const_data_ptr<std::int64_t>()[i]}];
  }
  const bool named = std::ssize(data.info().classes) == predictions.classes;
  Json json{{"split", split}, {"examples", count}, {"of", data.size()}, {"cells", Json::array()}};
  json["classes"] = named ? data.info().classes : readers::numbered_classes(predictions.classes);
  for (const auto& [cell, examples] : cells) json["cells"].push_back({cell.first, cell.second, examples});
  return json;
}

Json latent_view(const LatentSample& sample) {
  const Latents& latents = sample.latents;
  const at::Tensor& values = latents.values;
  if (values.size(0) < least_mapped || values.size(1) < 2 || !vary(values)) return {};
  const at::Tensor index = latents.index.contiguous();
  const auto* first = index.const_data_ptr<std::int64_t>();
  Json json{{"split", sample.split},
            {"examples", values.size(0)},
            {"of", sample.of},
            {"dimensions", values.size(1)},
            {"index", std::vector<std::int64_t>(first, first + index.numel())},
            {"maps", maps_of(values)}};
  if (!latents.labels.empty()) {
    json["labels"] = latents.labels;
    json["classes"] = latents.classes;
  }
  return json;
}

}  // namespace vaetl::recipe
