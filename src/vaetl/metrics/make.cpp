#include "vaetl/core/error.hpp"
#include "vaetl/core/query.hpp"
#include "vaetl/metrics/metric.hpp"

namespace vaetl {

std::shared_ptr<Metric> make_metric(const std::string& reference, const std::string& path) {
  const auto mark = reference.find('?');
  Spec<Metric> spec{.name = reference.substr(0, mark)};
  if (mark != std::string::npos) spec.options = parse_query(reference.substr(mark + 1), path, reference);
  return registry<Metric>().make(spec, path);
}

std::string metric_reference(const Json& json, const std::string& path) {
  Spec<Metric> spec;
  Codec<Spec<Metric>>::read(json, path, spec, {});
  return spec.name + query_text(spec.options);
}

}  // namespace vaetl
