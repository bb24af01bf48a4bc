#include "vaetl/nn/component.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::nn {

at::Tensor Component::over_steps(const at::Tensor& x, const at::Tensor& /*lengths*/) {
  return forward(x.flatten(0, 1)).reshape_as(x);
}

std::shared_ptr<Sequence> inserted_after(const std::string& group, const std::vector<std::int64_t>& shape,
                                         const Insertions& insertions) {
  std::shared_ptr<Sequence> sequence;
  for (std::size_t i = 0; i < insertions.size(); ++i) {
    if (insertions[i].after != group) continue;
    const auto component = registry<Component>().make(insertions[i].component, fmt::format("insert[{}]", i));
    component->bind(shape);
    if (!sequence) sequence = std::make_shared<Sequence>();
    sequence->add(component);
  }
  return sequence;
}

void insert_after_last(Sequence& sequence, const std::string& name, const std::vector<std::int64_t>& shape,
                       const Insertions& insertions) {
  const std::string group = name + "." + std::to_string(sequence.size() - 1);
  if (const auto inserted = inserted_after(group, shape, insertions)) sequence.insert(inserted);
}

Insertions insertions_within(const Insertions& insertions, const std::string& name) {
  Insertions result;
  for (const Insertion& insertion : insertions) {
    if (insertion.after.starts_with(name + ".")) result.push_back(insertion);
  }
  return result;
}

void check_places(const Insertions& insertions, const std::vector<std::string>& groups) {
  for (std::size_t i = 0; i < insertions.size(); ++i) {
    const std::string& after = insertions[i].after;
    if (std::find(groups.begin(), groups.end(), after) != groups.end()) continue;
    throw ConfigError({fmt::format("insert[{}].after", i), "a layer group before the head (" + join(groups) + ")",
                       quote(after), did_you_mean(after, groups)});
  }
}

}  // namespace vaetl::nn

namespace vaetl {

void Codec<nn::Insertion>::read(const Json& json, const std::string& path, nn::Insertion& value, const Rule&) {
  if (!json.is_object()) throw_type(path, "an object with \"after\" and \"name\"", json);
  if (!json.contains("after")) {
    throw ConfigError({path + ".after", "the layer group that it stands after", "none", {}});
  }
  Codec<std::string>::read(json.at("after"), path + ".after", value.after, {});
  Json component = json;
  component.erase("after");
  Codec<Spec<nn::Component>>::read(component, path, value.component, {});
  value.component = registry<nn::Component>().complete(value.component, path);
}

Json Codec<nn::Insertion>::write(const nn::Insertion& value) {
  Json json{{"after", value.after}, {"name", value.component.name}};
  json.update(value.component.options);
  return json;
}

Json Codec<nn::Insertion>::schema(const Rule&) {
  return Json{{"type", "object"}, {"required", Json::array({"after", "name"})}};
}

}  // namespace vaetl
