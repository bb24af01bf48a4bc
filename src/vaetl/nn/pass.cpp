#include "vaetl/nn/pass.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/scalar_tensor.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/taps.hpp"

namespace vaetl {
namespace {

// Computes a stream's entry once.
template <class Value, class Compute>
const Value& memoised(std::map<std::string, Value, std::less<>>& known, std::string_view stream, Compute&& compute) {
  if (const auto found = known.find(stream); found != known.end()) return found->second;
  return known.emplace(std::string(stream), compute()).first->second;
}

std::string view_key(std::size_t view) { return view == 0 ? "input" : fmt::format("input.{}", view); }

// The weight of every row of `per_example`; several views of a batch come view by view and share the examples' weights.
at::Tensor row_weights(const at::Tensor& weight, const at::Tensor& per_example, std::string_view stream) {
  const std::int64_t rows = per_example.size(0), examples = weight.size(0);
  if (examples == 0 || rows % examples != 0) {
    throw DataError({fmt::format("stream {}", quote(stream)),
                     fmt::format("{} weights, one an example", rows),
                     std::to_string(examples),
                     {}});
  }
  return weight.to(per_example.scalar_type()).repeat({rows / examples});
}

// How many examples a batch has, as a share of what the update's batches have on average.
double share_of_examples(std::span<const Batch> together, std::string_view stream, std::int64_t examples) {
  std::int64_t all = 0;
  for (const Batch& batch : together) all += batch.find(stream)->second.size();
  if (all == 0) return 1;
  return static_cast<double>(examples * static_cast<std::int64_t>(together.size())) / static_cast<double>(all);
}

}  // namespace

const Fields& Pass::fields(std::string_view stream) const {
  if (const auto found = batch_.find(stream); found != batch_.end()) return found->second;
  std::vector<std::string> streams;
  for (const auto& [name, fields] : batch_) streams.push_back(name);
  throw DataError({"batch", fmt::format("a stream {}", quote(stream)),
                   streams.empty() ? "no streams" : "only " + join(streams), "name it in the data section"});
}

const at::Tensor& Pass::features(std::string_view stream) {
  return memoised(features_, stream, [&] {
    const Fields& all = fields(stream);
    if (all.has("features")) return all["features"];
    Encoder& encoder = require<Encoder>(model_, "features");
    if (tapped_.empty()) return encoder.encode(all);
    const nn::Taps taps(model_, tapped_, "objective");
    at::Tensor features = encoder.encode(all);
    auto& outputs = outputs_[std::string(stream)];
    for (const std::string& group : taps.groups()) outputs.emplace(group, taps[group]);
    return features;
  });
}

const std::map<std::string, at::Tensor, std::less<>>& Pass::outputs(std::string_view stream) {
  features(stream);
  return outputs_[std::string(stream)];
}

const at::Tensor& Pass::view_features(std::string_view stream) {
  return memoised(view_features_, stream, [&] {
    const Fields& all = fields(stream);
    std::vector<at::Tensor> views = {all.input()};
    while (all.has(view_key(views.size()))) views.push_back(all[view_key(views.size())]);
    Fields joined;
    joined.set("input", at::cat(views));
    return require<Encoder>(model_, "features of views").encode(joined);
  });
}

const at::Tensor& Pass::logits(std::string_view stream) {
  return memoised(logits_, stream, [&] { return require<Classifier>(model_, "logits").classify(features(stream)); });
}

const at::Tensor& Pass::predictions(std::string_view stream) {
  return memoised(predictions_, stream,
                  [&] { return require<Regressor>(model_, "predictions").regress(features(stream)); });
}

const Gaussian& Pass::posterior(std::string_view stream) {
  return memoised(posterior_, stream,
                  [&] { return require<Variational>(model_, "the posterior").posterior(fields(stream)); });
}

at::Tensor Pass::condition(std::string_view stream) { return condition_of(model_, fields(stream)); }

at::Tensor Pass::mean(const at::Tensor& per_example, std::string_view stream) const {
  if (per_example.dim() != 1) {
    throw Error(
        Exit::internal,
        {"Pass::mean", "one value an example, (N)", fmt::format("a tensor of {} dimensions", per_example.dim()), {}});
  }
  const Fields& all = fields(stream);
  if (!all.has("weight")) {
    const double share = share_of_examples(options_.together, stream, all.size());
    return share == 1 ? per_example.mean() : per_example.mean() * share;
  }
  const at::Tensor weight = row_weights(all["weight"], per_example, stream), sum = (weight * per_example).sum();
  // Without any weight the mean is 0, not 0 / 0.
  if (options_.together.size() < 2) return sum / weight.sum().clamp_min(1e-30);
  const auto views = static_cast<double>(per_example.size(0) / all.size());
  return sum / (views * total(stream, {}, per_example.scalar_type())).clamp_min(1e-30);
}

at::Tensor Pass::mean_counted(const at::Tensor& sums, std::string_view counts, std::string_view stream) const {
  const Fields& all = fields(stream);
  const at::Tensor sum = all.has("weight") ? (row_weights(all["weight"], sums, stream) * sums).sum() : sums.sum();
  return sum / total(stream, counts, sums.scalar_type()).clamp_min(1e-30);
}

// Of the examples' weights, times their counts where those are named: the average over the update's batches.
at::Tensor Pass::total(std::string_view stream, std::string_view counts, at::ScalarType type) const {
  const auto of_batch = [&](const Fields& fields) {
    if (counts.empty()) return fields["weight"].to(type).sum();
    const at::Tensor count = fields[counts].to(type);
    return fields.has("weight") ? (fields["weight"].to(type) * count).sum() : count.sum();
  };
  if (options_.together.size() < 2) return of_batch(fields(stream));
  at::Tensor sum;
  for (const Batch& batch : options_.together) {
    const at::Tensor next = of_batch(batch.find(stream)->second);
    sum = sum.defined() ? sum + next : next;
  }
  return sum / static_cast<double>(options_.together.size());
}

double Pass::progress() const {
  if (options_.values) options_.values->note_host_read();
  return options_.progress;
}

at::Tensor Pass::value(const Schedule& schedule) const {
  const double value = schedule.at(options_.progress, options_.span);
  if (options_.values) return options_.values->next(schedule, value, device_of(model_));
  return at::scalar_tensor(value, at::TensorOptions(device_of(model_)).dtype(at::kFloat));
}

c10::Device device_of(const torch::nn::Module& module) {
  const auto parameters = module.parameters();
  return parameters.empty() ? c10::Device(c10::kCPU) : parameters.front().device();
}

}  // namespace vaetl
