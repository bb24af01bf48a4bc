#include "vaetl/data/feed.hpp"

#include <ATen/ATen.h>

#include <mutex>

#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/to_device.hpp"

namespace vaetl {
namespace {

void check(const Stream& stream) {
  const std::string where = "data." + stream.name;
  const std::vector<std::string> orders = {"shuffle", "sequential"};
  if (std::find(orders.begin(), orders.end(), stream.order) == orders.end()) {
    throw ConfigError(
        {where + ".order", "one of " + join(orders), quote(stream.order), did_you_mean(stream.order, orders)});
  }
  if (stream.views < 1) throw ConfigError({where + ".views", "at least 1", fmt::format("{}", stream.views), {}});
  if (stream.batch_size < 0) {
    throw ConfigError({where + ".batch_size", "at least 0", fmt::format("{}", stream.batch_size), {}});
  }
  if (stream.data.size() == 0) throw DataError({where, "at least one example", "none", "choose another split"});
}

std::vector<std::shared_ptr<Transform>> make_transforms(const Stream& stream) {
  std::vector<std::shared_ptr<Transform>> result;
  for (std::size_t i = 0; i < stream.augment.size(); ++i) {
    result.push_back(registry<Transform>().make(stream.augment[i], fmt::format("data.{}.augment[{}]", stream.name, i)));
  }
  return result;
}

}  // namespace

// A permutation of a large set takes longer than a batch, and an epoch uses one. The tensors are never written to.
struct Feed::Orders {
  struct One {
    std::int64_t pass = -1;
    at::Tensor order = {};
  };
  std::mutex mutex = {};
  std::vector<One> streams = {};
};

Feed::Feed(Pipeline pipeline, Preprocess preprocess, FeedOptions options)
    : pipeline_(std::move(pipeline)),
      preprocess_(std::move(preprocess)),
      options_(options),
      orders_(std::make_shared<Orders>()) {
  if (options_.batch_size < 1)
    throw ConfigError({"batch_size", "at least 1", fmt::format("{}", options_.batch_size), {}});
  std::int64_t views = 0;
  for (const auto& stream : pipeline_.streams) {
    check(stream);
    augment_.push_back(make_transforms(stream));
    first_view_.push_back(std::exchange(views, views + stream.views));
  }
  orders_->streams.resize(pipeline_.streams.size());
}

std::int64_t Feed::batch_size(std::size_t stream) const {
  const std::int64_t own = pipeline_.streams[stream].batch_size;
  return own > 0 ? own : options_.batch_size;
}

std::int64_t Feed::steps_per_epoch() const {
  return (pipeline_.streams[0].data.size() + batch_size(0) - 1) / batch_size(0);
}

at::Tensor Feed::order(std::size_t stream, std::int64_t pass) const {
  const std::scoped_lock lock(orders_->mutex);
  Orders::One& kept = orders_->streams[stream];
  if (kept.pass == pass) return kept.order;
  const auto key = random_key(options_.seed, Purpose::order, pass, static_cast<std::int64_t>(stream));
  kept = {pass, at::randperm(pipeline_.streams[stream].data.size(), make_generator(key), at::kLong)};
  return kept.order;
}

// The first stream sets the epoch: its batches end with it.
at::Tensor Feed::indices(std::size_t stream, std::int64_t epoch, std::int64_t step) const {
  const std::int64_t batch = batch_size(stream);
  if (stream > 0) return wrapped(stream, (epoch * steps_per_epoch() + step) * batch);
  const std::int64_t start = step * batch, end = std::min(start + batch, pipeline_.streams[0].data.size());
  if (pipeline_.streams[0].order == "sequential") return at::arange(start, end, at::kLong);
  return order(0, epoch).slice(0, start, end);
}

// A batch of a stream that runs on from pass to pass, `start` examples after its beginning.
at::Tensor Feed::wrapped(std::size_t stream, std::int64_t start) const {
  const std::int64_t size = pipeline_.streams[stream].data.size(), end = start + batch_size(stream);
  const bool sequential = pipeline_.streams[stream].order == "sequential";
  std::vector<at::Tensor> parts;
  for (std::int64_t from = start; from < end;) {
    const std::int64_t pass = from / size, to = std::min(end, (pass + 1) * size);
    const std::int64_t low = from - pass * size, high = to - pass * size;
    parts.push_back(sequential ? at::arange(low, high, at::kLong) : order(stream, pass).slice(0, low, high));
    from = to;
  }
  return at::cat(parts);
}

Fields Feed::view(Fields fields, std::size_t stream, std::int64_t which, std::int64_t epoch, std::int64_t step) const {
  at::Generator generator =
      make_generator(random_key(options_.seed, Purpose::augment, epoch, step, first_view_[stream] + which));
  for (const auto& transform : augment_[stream]) transform->apply(fields, generator);
  return fields;
}

Fields Feed::fields(std::size_t stream, std::int64_t epoch, std::int64_t step) const {
  const Stream& source = pipeline_.streams[stream];
  const at::Tensor index = indices(stream, epoch, step);
  Fields base = source.data.gather(index);
  base.set("index", index);
  for (const auto& key : base.keys()) base.set(key, to_device(base[key], options_.device));
  preprocess_.apply(base);
  Fields result = view(base, stream, 0, epoch, step);
  for (std::int64_t v = 1; v < source.views; ++v) {
    result.set(fmt::format("input.{}", v), view(base, stream, v, epoch, step).input());
  }
  return result;
}

Batch Feed::at(std::int64_t epoch, std::int64_t step) const {
  if (epoch < 0 || step < 0 || step >= steps_per_epoch()) {
    throw Error(
        Exit::internal,
        {"feed", fmt::format("a step below {}", steps_per_epoch()), fmt::format("epoch {}, step {}", epoch, step), {}});
  }
  Batch batch;
  for (std::size_t i = 0; i < pipeline_.streams.size(); ++i) {
    batch.emplace(pipeline_.streams[i].name, fields(i, epoch, step));
  }
  return batch;
}

}  // namespace vaetl
