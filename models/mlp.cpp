#include "vaetl/models/mlp.hpp"

#include "vaetl/models/options.hpp"

namespace vaetl::models {
namespace {

DenseTrunk trunk(const Mlp::Options& o) {
  return {.input = o.input,
          .widths = o.widths,
          .activation = o.activation,
          .batch_norm = o.batch_norm,
          .dropout = o.dropout,
          .layer_norm = o.layer_norm,
          .insert = o.insert};
}

}  // namespace

void Mlp::Options::validate() const {
  trunk(*this).validate();
  check_classes(classes);
  if (classes == 0 || outputs == 0) return;
  throw ConfigError({"mlp", "classes or outputs, the other 0", fmt::format("{} and {}", classes, outputs), {}});
}

Mlp::Mlp(const Options& options)
    : TrunkClassifier(vaetl::spec<Mlp>(checked<Mlp>(options)), trunk(options),
                      Head{.classes = options.classes, .outputs = options.outputs, .hidden = options.head},
                      options.code),
      options_(options) {}

ModelSpec Mlp::classifier(std::int64_t classes) const {
  Options options = options_;
  options.classes = classes;
  options.outputs = 0;
  options.head.clear();
  return vaetl::spec<Mlp>(options);
}

}  // namespace vaetl::models
