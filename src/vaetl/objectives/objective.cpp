#include "vaetl/objectives/objective.hpp"

#include <ATen/record_function.h>

#include "vaetl/core/text.hpp"
#include "vaetl/nn/autocast.hpp"

namespace vaetl {
namespace {

void check_fields(const Needs& needs, const std::string& stream, const Fields& fields, const std::string& by) {
  for (const std::string& name : needs.fields) {
    if (fields.has(name)) continue;
    const char* remedy = name == "target" ? "open data with labels, and leave them on" : "add the field to the dataset";
    throw DataError({by, fmt::format("the field \"{}\" in the stream \"{}\"", name, stream),
                     "the fields " + join(fields.keys()), remedy});
  }
}

void check_labels(const Needs& needs, const std::string& stream, const Fields& fields, const std::string& by) {
  const bool reads = std::count(needs.fields.begin(), needs.fields.end(), "target") > 0;
  if (!reads || needs.mixed || !fields.has("target.other")) return;
  throw ConfigError({by, "one label for each example", fmt::format("mixed labels in the stream \"{}\"", stream),
                     "leave mixup and cutmix out, or choose an objective that mixes labels, as cross_entropy does"});
}

// Views are the fields input, input.1, input.2, …
std::int64_t count_views(const Fields& fields) {
  std::int64_t views = fields.has("input") ? 1 : 0;
  while (views > 0 && fields.has(fmt::format("input.{}", views))) ++views;
  return views;
}

}  // namespace

Terms Objective::backward(std::size_t update, Pass& pass) {
  Terms result;
  pass.tap(needs().taps);
  {
    RECORD_USER_SCOPE("forward");
    const nn::Autocast autocast(device_of(pass.model()), pass.precision());
    result = terms(update, pass);
  }
  RECORD_USER_SCOPE("backward");
  result.total().backward();
  return result.detached();
}

void check_needs(const Needs& needs, const Model& model, const Batch& example, const std::string& by) {
  for (const std::string& capability : needs.capabilities) require_capability(model, capability, by);
  for (const std::string& stream : needs.streams) {
    if (example.contains(stream)) continue;
    std::vector<std::string> known;
    for (const auto& [name, fields] : example) known.push_back(name);
    throw DataError(
        {by, fmt::format("a stream \"{}\"", stream), "the streams " + join(known), "name it in the recipe's data"});
  }
  if (needs.streams.empty()) return;
  const std::string& first = needs.streams.front();
  const Fields& fields = example.find(first)->second;
  check_fields(needs, first, fields, by);
  check_labels(needs, first, fields, by);
  if (const std::int64_t views = count_views(fields); needs.views > 1 && views < needs.views) {
    throw ConfigError({by, fmt::format("{} views of each example in the stream \"{}\"", needs.views, first),
                       std::to_string(views), fmt::format("set data.views to {} and say how to augment", needs.views)});
  }
}

}  // namespace vaetl
