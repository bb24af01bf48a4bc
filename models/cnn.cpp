#include "vaetl/models/cnn.hpp"

#include "vaetl/models/options.hpp"

namespace vaetl::models {

void Cnn::Options::validate() const {
  conv_trunk(*this).validate();
  check_classes(classes);
  if (classes == 0 && dropout > 0) {
    throw ConfigError({"dropout", "0 where classes is 0", fmt::format("{}", dropout), "it acts before the head alone"});
  }
}

Cnn::Cnn(const Options& options)
    : TrunkClassifier(vaetl::spec<Cnn>(checked<Cnn>(options)), conv_trunk(options),
                      Head{.classes = options.classes, .dropout = options.dropout, .hidden = options.head},
                      options.code),
      options_(options) {}

ModelSpec Cnn::classifier(std::int64_t classes) const {
  Options options = options_;
  options.classes = classes;
  options.head.clear();
  if (classes == 0) options.dropout = 0;
  return vaetl::spec<Cnn>(options);
}

}  // namespace vaetl::models
