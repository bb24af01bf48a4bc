#include "vaetl/data/feed.hpp"

#include <ATen/ATen.h>

#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/data/resident.hpp"
#include "vaetl/data/to_device.hpp"

namespace vaetl {
namespace {

void check_lanes(const Stream& stream, std::int64_t batch, bool first) {
  const std::string where = "data." + stream.name;
  if (!first) {
    throw ConfigError({where + ".order", "lanes for the first stream only", quote(stream.order),
                       "choose sequential, or name this stream first"});
  }
  if (stream.data.size() >= batch) return;
  throw DataError({where, fmt::format("at least one example for each of {} lanes", batch),
                   fmt::format("{}", stream.data.size()), "make batch_size or the windows smaller"});
}

void check(const Stream& stream) {
  const std::string where = "data." + stream.name;
  const std::vector<std::string> orders = {"shuffle", "sequential", "lanes"};
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
    const std::string path = fmt::format("data.{}.augment[{}]", stream.name, i);
    result.push_back(registry<Transform>().make(stream.augment[i], path));
    if (stream.views == 1 || !result.back()->mixes()) continue;
    throw ConfigError({path, "one view of each example where examples are mixed",
                       fmt::format("{} with {} views", quote(stream.augment[i].name), stream.views),
                       "leave it out, or set views to 1"});
  }
  return result;
}

}  // namespace

Feed::Feed(Pipeline pipeline, Preprocess preprocess, FeedOptions options)
    : pipeline_(std::move(pipeline)), preprocess_(std::move(preprocess)), options_(options) {
  if (options_.batch_size < 1)
    throw ConfigError({"batch_size", "at least 1", fmt::format("{}", options_.batch_size), {}});
  std::int64_t views = 0;
  for (auto& stream : pipeline_.streams) {
    check(stream);
    stream.data = resident_where_it_fits(stream.data, options_.device);
    augment_.push_back(make_transforms(stream));
    first_view_.push_back(std::exchange(views, views + stream.views));
    const auto index = shuffles_.size();
    shuffles_.push_back(std::make_shared<Shuffle>(
        stream.data.size(), stream.data.window(), options_.seed, static_cast<std::int64_t>(index),
        [data = stream.data](std::int64_t start, std::int64_t count) { data.expect(start, count); }));
    if (stream.order == "lanes") check_lanes(stream, batch_size(index), index == 0);
  }
}

std::int64_t Feed::batch_size(std::size_t stream) const {
  const std::int64_t own = pipeline_.streams[stream].batch_size;
  return own > 0 ? own : options_.batch_size;
}

std::int64_t Feed::steps_per_epoch() const { return vaetl::steps_per_epoch(pipeline_.streams[0], options_.batch_size); }

// The first stream sets the epoch: its batches end with it.
at::Tensor Feed::indices(std::size_t stream, std::int64_t epoch, std::int64_t step) const {
  const std::int64_t batch = batch_size(stream);
  if (stream > 0) return wrapped(stream, (epoch * steps_per_epoch() + step) * batch);
  const Stream& first = pipeline_.streams[0];
  if (first.order == "lanes") return at::arange(batch, at::kLong).mul_(steps_per_epoch()).add_(step);
  const std::int64_t start = step * batch, end = std::min(start + batch, first.data.size());
  if (first.order == "sequential") return at::arange(start, end, at::kLong);
  return shuffles_[0]->range(epoch, start, end);
}

// A batch of a stream that runs on from pass to pass, `start` examples after its beginning.
at::Tensor Feed::wrapped(std::size_t stream, std::int64_t start) const {
  const std::int64_t size = pipeline_.streams[stream].data.size(), end = start + batch_size(stream);
  const bool sequential = pipeline_.streams[stream].order == "sequential";
  std::vector<at::Tensor> parts;
  for (std::int64_t from = start; from < end;) {
    const std::int64_t pass = from / size, to = std::min(end, (pass + 1) * size);
    const std::int64_t low = from - pass * size, high = to - pass * size;
    parts.push_back(sequential ? at::arange(low, high, at::kLong) : shuffles_[stream]->range(pass, low, high));
    from = to;
  }
  return at::cat(parts);
}

Fields Feed::view(Fields fields, std::size_t stream, std::int64_t which, std::int64_t epoch, std::int64_t step) const {
  if (augment_[stream].empty()) return fields;
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
