#include "vaetl/recipe/repair.hpp"

#include <ATen/ops/empty_like.h>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/restorer.hpp"
#include "vaetl/nn/state.hpp"

namespace vaetl::recipe {
namespace {

constexpr std::size_t most_sizes = 16;  // that are kept at hand; a picture in parts has up to nine

std::vector<std::int64_t> input_shape(const Model& model) { return model.signature().inputs.at("input").shape; }

std::string side_text(std::int64_t height, std::int64_t width) { return fmt::format("{}×{} pixels", width, height); }

// Where the parts of a side begin and end, and of each what is kept: all but the margins to its neighbours.
struct Stretch {
  std::int64_t from, to, keep_from, keep_to;
};

std::vector<Stretch> stretches(std::int64_t side, const RepairOptions& options) {
  std::vector<Stretch> result;
  for (std::int64_t at = 0; at < side; at += options.part) {
    const std::int64_t end = std::min(side, at + options.part);
    result.push_back({std::max<std::int64_t>(0, at - options.margin), std::min(side, end + options.margin), at, end});
  }
  return result;
}

}  // namespace

std::shared_ptr<Model> model_at_size(const Model& model, std::int64_t height, std::int64_t width,
                                     const std::string& where) {
  ModelSpec spec = model.spec();
  const auto shape = input_shape(model);
  const std::string found = side_text(height, width);
  if (spec.options.contains("input") && spec.options["input"] == Json(shape)) {
    spec.options["input"] = {shape[0], height, width};
    try {
      return clone(model, spec, state(model));
    } catch (const ConfigError& error) {  // of the description: no such size
      throw DataError(
          {where, "a size that the model takes (" + error.problem.expected + ")", found, "scale it before"});
    } catch (const FileError&) {  // weights that belong to their size, which is told below
    }
  }
  throw DataError({where, "pictures of " + side_text(shape[1], shape[2]) + ", the only ones that the model takes",
                   found, "scale them before, or take a model of convolutions alone"});
}

Repairer::Repairer(Model& model, const std::string& by, RepairOptions options)
    : model_(model), options_(options), shades_(shades_of(model, by)) {
  if (!restores(model)) require_capability(model, Restorer::capability, by);
  if (!offers(model, Conditional::capability)) return;
  throw ConfigError(
      {by, "a model that repairs pictures without knowing their classes", "a conditional one", "choose another"});
}

at::Tensor Repairer::whole(const at::Tensor& damaged, const std::string& where) {
  const std::int64_t height = damaged.size(2), width = damaged.size(3);
  Fields fields;
  fields.set("input", damaged);
  if (input_shape(model_) == damaged.sizes().slice(1).vec()) return restored(model_, fields, where);
  const std::pair size{height, width};
  if (!sized_.contains(size) && sized_.size() >= most_sizes) sized_.clear();
  auto& sized = sized_[size];
  if (!sized) sized = model_at_size(model_, height, width, where);
  return restored(*sized, fields, where);
}

at::Tensor Repairer::repair(const at::Tensor& damaged, const std::string& where) {
  const at::NoGradGuard no_grad;
  const std::int64_t height = damaged.size(2), width = damaged.size(3), part = options_.part + 2 * options_.margin;
  if (height <= part && width <= part) return whole(damaged, where);
  at::Tensor result = at::empty_like(damaged);
  for (const Stretch& row : stretches(height, options_)) {
    for (const Stretch& column : stretches(width, options_)) {
      const at::Tensor made =
          whole(damaged.slice(2, row.from, row.to).slice(3, column.from, column.to).contiguous(), where);
      result.slice(2, row.keep_from, row.keep_to)
          .slice(3, column.keep_from, column.keep_to)
          .copy_(made.slice(2, row.keep_from - row.from, row.keep_to - row.from)
                     .slice(3, column.keep_from - column.from, column.keep_to - column.from));
    }
  }
  return result;
}

}  // namespace vaetl::recipe
