// Names to classes. The table that defines registry<Base>() is the definition of the registry, so no linker can drop an
// entry; a user's program adds its own with registry<Model>().add<Mine>().
//
// A class T in the registry of T::Kind has T::name, T::Options (core/config.hpp) and T(T::Options).
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vaetl/core/config.hpp"

namespace vaetl {

namespace detail {
Json no_options();  // {}; not inline: GCC 12 loses an inline function that only a member initialiser calls
}

// A name with its options as plain data: {"name": "adamw", "lr": 0.001}; a bare name where there are no options.
template <class Base>
struct Spec {
  std::string name = {};
  Json options = detail::no_options();
};

namespace detail {
[[noreturn]] void throw_unknown_name(std::string_view kind, const std::string& path, const std::string& name,
                                     const std::vector<std::string>& known);
void read_spec(const Json&, const std::string& path, std::string& name, Json& options);
Json write_spec(const std::string& name, const Json& options);
}  // namespace detail

template <class Base>
struct Codec<Spec<Base>> {
  static void read(const Json& json, const std::string& path, Spec<Base>& value, const Rule&) {
    detail::read_spec(json, path, value.name, value.options);
  }
  static Json write(const Spec<Base>& value) {
    return value.name.empty() ? Json() : detail::write_spec(value.name, value.options);
  }
  static Json schema(const Rule&) { return Json{{"type", Json::array({"string", "object"})}}; }
};

template <class Base>
class Registry {
 public:
  struct Entry {
    std::string name;
    std::function<std::shared_ptr<Base>(const Json& options, const std::string& path)> make;
    std::function<Json(const Json& options, const std::string& path)> complete;
    std::function<Json()> schema;
  };

  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  template <class T>
  Registry& add() {
    using O = typename T::Options;
    std::erase_if(entries_, [](const Entry& e) { return e.name == T::name; });
    entries_.push_back(
        {std::string(T::name),
         [](const Json& options, const std::string& path) -> std::shared_ptr<Base> {
           return std::make_shared<T>(from_json<O>(options, path));
         },
         [](const Json& options, const std::string& path) { return to_json(from_json<O>(options, path)); },
         [] { return json_schema<O>(); }});
    return *this;
  }

  // An unknown name is a ConfigError with the nearest; `path` is where the spec stands in a recipe.
  std::shared_ptr<Base> make(const Spec<Base>& spec, const std::string& path = {}) const {
    return find(spec.name, path).make(spec.options, path);
  }
  // The same spec with every default written out.
  Spec<Base> complete(const Spec<Base>& spec, const std::string& path = {}) const {
    return {spec.name, find(spec.name, path).complete(spec.options, path)};
  }
  Json schema(const std::string& name) const { return find(name, {}).schema(); }
  bool has(std::string_view name) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
  }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const Entry& e : entries_) result.push_back(e.name);
    return result;
  }

 private:
  const Entry& find(const std::string& name, const std::string& path) const {
    for (const Entry& e : entries_) {
      if (e.name == name) return e;
    }
    detail::throw_unknown_name(kind_, path, name, names());
  }

  std::string kind_;
  std::vector<Entry> entries_;
};

// Each Base declares its specialisation beside itself and defines it beside its table.
template <class Base>
Registry<Base>& registry();

// Typed construction in C++: make<models::ConvVae>({.latent = 32}).
template <class T>
std::shared_ptr<T> make(typename T::Options options = {}) {
  return std::make_shared<T>(std::move(options));
}
// By name, from plain data: make<Model>("conv_vae", options).
template <class Base>
std::shared_ptr<Base> make(std::string_view name, const Json& options) {
  return registry<Base>().make({std::string(name), options});
}
// Typed in C++, plain data in the recipe: spec<optim::AdamW>({.lr = 1e-3}).
template <class T>
Spec<typename T::Kind> spec(typename T::Options options = {}) {
  return {std::string(T::name), to_json(options)};
}

}  // namespace vaetl
