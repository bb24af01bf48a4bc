#include "vaetl/transfer/ranking.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/softmax.h>

#include <chrono>

#include "vaetl/core/error.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/pass.hpp"
#include "vaetl/train/evaluation_mode.hpp"
#include "vaetl/transfer/adapt.hpp"

namespace vaetl {
namespace {

constexpr std::int64_t classified_at_once = 4096;

at::Tensor own_probabilities(Model& source, const at::Tensor& features) {
  const at::NoGradGuard no_grad;
  const EvaluationMode mode(source);
  const auto device = device_of(source);
  auto& classifier = require<Classifier>(source, "ranking");
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : features.split(classified_at_once)) {
    parts.push_back(at::softmax(classifier.classify(part.to(device)), 1).cpu());
  }
  return at::cat(parts);
}

at::Tensor features_for_ranking(Model& model, const Dataset& data, FeatureCache* cache) {
  return (cache ? cache->extract(model, data) : extract(model, data)).column("features");
}

}  // namespace

RankedSource rank_source(Model& source, const Dataset& data, const std::vector<std::string>& scores,
                         FeatureCache* cache) {
  const auto started = std::chrono::steady_clock::now();
  ScoreInput input{.labels = data.labels(), .classes = data.classes()};
  if (offers(source, Classifier::capability)) {
    input.features = features_for_ranking(source, data, cache);
    input.probabilities = own_probabilities(source, input.features);
  } else {
    require<Encoder>(source, "ranking");
    const auto target = adapt(source, {.heads = {{.classes = std::max<std::int64_t>(2, input.classes)}}}).model;
    target->to(device_of(source));
    input.features = features_for_ranking(*target, data, cache);
  }
  RankedSource ranked{.features = input.features.size(1)};
  for (const std::string& name : scores) ranked.scores[name] = score(transfer_score(name), input);
  ranked.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return ranked;
}

}  // namespace vaetl
