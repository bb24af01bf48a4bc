#include "vaetl/models/backbone.hpp"

#include <ATen/ops/zeros.h>

#include <cmath>

#include "vaetl/core/error.hpp"
#include "vaetl/models/trunk_groups.hpp"
#include "vaetl/nn/taps.hpp"

namespace vaetl::models {
namespace {

std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> parts = {""};
  for (char c : path) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// Registers at a path such as "features.3"; modules on the way that do not exist hold nothing else.
void register_at(torch::nn::Module& root, const std::string& path, std::shared_ptr<torch::nn::Module> layer) {
  const auto parts = split_path(path);
  torch::nn::Module* parent = &root;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const auto children = parent->named_children();
    const auto* known = children.find(parts[i]);
    parent = known ? known->get() : parent->register_module(parts[i], std::make_shared<torch::nn::Module>()).get();
  }
  parent->register_module(parts.back(), std::move(layer));
}

}  // namespace

std::int64_t scaled(std::int64_t channels, double width) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * width));
}

void check_side(const std::string& layer, std::int64_t needs, nn::Size2 found, const std::vector<std::int64_t>& input) {
  if (std::min(found[0], found[1]) >= needs) return;
  throw ConfigError({"layer " + layer, fmt::format("an image of at least {0} × {0}", needs),
                     fmt::format("{} × {} of an input of {} × {}", found[0], found[1], input[1], input[2]),
                     "use larger images"});
}

Backbone::Backbone(ModelSpec spec, std::vector<std::int64_t> input, std::int64_t classes,
                   std::vector<std::int64_t> hidden, nn::Insertions insert)
    : Model(std::move(spec)),
      input_(std::move(input)),
      classes_(classes),
      hidden_(std::move(hidden)),
      insert_(std::move(insert)) {
  nn::check_head(hidden_, classes_);
}

void Backbone::place(const std::string& group, const std::string& path, std::shared_ptr<torch::nn::Module> layer,
                     Function step) {
  if (!groups_.empty() && groups_.back().name != group) insert_after_last_group();
  if (groups_.empty() || groups_.back().name != group) groups_.push_back({group, {}});
  groups_.back().prefixes.push_back(path);
  initialise_(*layer);
  steps_.push_back({std::move(step), layer.get()});
  register_at(*this, path, std::move(layer));
}

void Backbone::then(Function function) {
  const torch::nn::Module* ends = steps_.empty() ? nullptr : std::exchange(steps_.back().ends, nullptr);
  steps_.push_back({std::move(function), ends});
}

void Backbone::bridge(Function function) {
  insert_after_last_group();
  steps_.push_back({std::move(function)});
}

void Backbone::add_head(const std::string& path, std::int64_t features, double dropout) {
  insert_after_last_group();
  feature_size_ = features;
  dropout_ = dropout;
  std::vector<std::string> places;
  for (const LayerGroup& group : groups_) {
    if (!group.name.starts_with("inserted.")) places.push_back(group.name);
  }
  nn::check_places(insert_, places);
  if (classes_ == 0) return;
  head_ = nn::make_head(features, hidden_, classes_);
  initialise_(*head_.module);
  register_at(*this, path, head_.module);
  groups_.push_back({"head", {path}});
}

void Backbone::insert_after_last_group() {
  const std::string group = groups_.back().name;
  const auto here = [&](const nn::Insertion& insertion) { return insertion.after == group; };
  if (std::none_of(insert_.begin(), insert_.end(), here)) return;
  const auto inserted = nn::inserted_after(group, shape_so_far(), insert_);
  const std::string path = group + "_inserted";
  register_at(*this, path, inserted);
  steps_.push_back({[kept = inserted.get()](const at::Tensor& x) { return kept->forward(x); }, inserted.get()});
  groups_.push_back({nn::inserted_group(group), {path}});
}

// What the layers so far make of one example; asked for only where something is inserted.
std::vector<std::int64_t> Backbone::shape_so_far() {
  const at::NoGradGuard no_grad;
  std::vector<std::int64_t> shape = input_;
  shape.insert(shape.begin(), 1);
  eval();
  at::Tensor h = at::zeros(shape);
  for (const Step& step : steps_) h = step.run(std::move(h));
  train();
  return h.sizes().slice(1).vec();
}

Signature Backbone::signature() const { return unit_signature(input_); }

at::Tensor Backbone::encode(const Fields& fields) {
  at::Tensor h = checked_input(*this, fields);
  for (const Step& step : steps_) {
    h = step.run(std::move(h));
    nn::Taps::show(step.ends, h);
  }
  return h.flatten(1);
}

at::Tensor Backbone::classify(const at::Tensor& features) {
  require_capability(*this, Classifier::capability, "classify");
  return head_.forward(features, dropout_);
}

}  // namespace vaetl::models
