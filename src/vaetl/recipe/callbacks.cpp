#include "vaetl/recipe/callbacks.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>

#include <algorithm>

#include "vaetl/data/pipeline.hpp"
#include "vaetl/io/atomic_file.hpp"
#include "vaetl/io/png.hpp"
#include "vaetl/recipe/generate.hpp"
#include "vaetl/recipe/pixels.hpp"
#include "vaetl/recipe/reconstruct.hpp"
#include "vaetl/train/evaluation_mode.hpp"

namespace vaetl {

template <>
Registry<Callback>& registry<Callback>() {
  static Registry<Callback> table = [] {
    Registry<Callback> callbacks("callback");
    callbacks.add<callbacks::Csv>().add<recipe::Pictures>().add<recipe::TensorBoard>();
    return callbacks;
  }();
  return table;
}

namespace recipe {
namespace {

bool rebuilds_examples(const Model& model) {
  return offers(model, Encoder::capability) && offers(model, Decoder::capability);
}

// Validation data, or else what is trained on, evenly spread; none where the inputs were replaced by cached features.
std::optional<Dataset> examples_to_rebuild(const Pipeline& data, std::int64_t count) {
  const Dataset& source = data.validation ? *data.validation : data.streams.front().data;
  if (!source.has("input") || source.size() == 0) return std::nullopt;
  const std::int64_t taken = std::min(count, source.size());
  return source.select((at::arange(taken, at::kLong) * source.size()).floor_divide(taken));
}

}  // namespace

void Pictures::check(const Model& model) const {
  const bool samples = offers(model, Generator::capability), rebuilds = rebuilds_examples(model);
  const bool able = options_.what == "samples"           ? samples
                    : options_.what == "reconstructions" ? rebuilds
                                                         : samples || rebuilds;
  if (able && sees_pictures(model)) return;
  throw ConfigError({"callback pictures",
                     "a model that makes pictures" + (options_.what == "auto" ? "" : " as " + options_.what),
                     "\"" + model.spec().name + "\"", "leave it out of callbacks"});
}

void Pictures::on_begin(vaetl::Progress& progress) {
  check(progress.model);
  every_.begin(progress.epoch);
}

void Pictures::on_epoch(vaetl::Progress& progress) {
  if (!every_.due(progress.epoch) || progress.directory.empty()) return;
  const at::Tensor grid = draw(progress.result(), *progress.data);
  if (!grid.defined()) return;
  const auto folder = std::filesystem::path(progress.directory) / "pictures";
  make_folder(folder);
  write_png(folder / fmt::format("epoch-{}.png", progress.epoch + 1), grid);
  progress.pictures.push_back({"pictures", progress.step, grid});
}

at::Tensor Pictures::draw(Model& model, const Pipeline& data) const {
  const at::NoGradGuard no_grad;
  const EvaluationMode mode(model);
  const EvaluationNoise noise(device_of(model));
  const bool samples = options_.what == "samples" || (options_.what == "auto" && !rebuilds_examples(model));
  if (samples) {
    const auto* conditional = dynamic_cast<const Conditional*>(&model);  // then a column a class
    const std::int64_t classes = conditional ? conditional->conditions() : 0;
    const std::int64_t columns = std::min<std::int64_t>(options_.count, classes > 0 ? classes : 8);
    return image_grid(to_pixels(model, generate(model, {.count = options_.count}).values), columns);
  }
  const auto examples = examples_to_rebuild(data, options_.count);
  return examples ? reconstruction_grid(model, reconstruct(model, *examples), 8) : at::Tensor();
}

std::vector<std::shared_ptr<Callback>> make_callbacks(const std::vector<Spec<Callback>>& specs, const Model& model) {
  std::vector<std::shared_ptr<Callback>> made;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    made.push_back(registry<Callback>().make(specs[i], fmt::format("callbacks[{}]", i)));
    if (const auto* pictures = dynamic_cast<const Pictures*>(made.back().get())) pictures->check(model);
  }
  return made;
}

bool wants_projector(const std::vector<std::shared_ptr<Callback>>& callbacks) {
  return std::any_of(callbacks.begin(), callbacks.end(), [](const auto& callback) {
    const auto* events = dynamic_cast<const TensorBoard*>(callback.get());
    return events && events->projector();
  });
}

}  // namespace recipe
}  // namespace vaetl
