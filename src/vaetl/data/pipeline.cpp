#include "vaetl/data/pipeline.hpp"

#include "vaetl/core/text.hpp"

namespace vaetl {

std::int64_t steps_per_epoch(const Stream& stream, std::int64_t batch_size) {
  const std::int64_t size = stream.data.size(), batch = stream.batch_size > 0 ? stream.batch_size : batch_size;
  return stream.order == "lanes" ? size / batch : (size + batch - 1) / batch;
}

Pipeline::Pipeline(Dataset train) : streams{Stream{.data = std::move(train)}} {}

Pipeline::Pipeline(std::vector<Stream> all) : streams(std::move(all)) {
  if (streams.empty()) throw ConfigError({"data", "at least one stream", "none", {}});
  std::set<std::string> names;
  for (const auto& each : streams) {
    if (each.name.empty()) throw ConfigError({"data", "a name for every stream", "an empty one", {}});
    if (!names.insert(each.name).second)
      throw ConfigError({"data", "streams of different names", quote(each.name) + " twice", {}});
  }
}

const Stream& Pipeline::stream(std::string_view name) const {
  std::vector<std::string> names;
  for (const auto& each : streams) {
    if (each.name == name) return each;
    names.push_back(each.name);
  }
  throw DataError({"data", "a stream " + quote(name), "only " + join(names), {}});
}

}  // namespace vaetl
