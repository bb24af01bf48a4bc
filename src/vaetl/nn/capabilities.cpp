#include "vaetl/nn/capabilities.hpp"

#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

struct Entry {
  std::string_view name;
  bool (*offered)(const Model&);
};

template <class C>
constexpr Entry entry() {
  return {C::capability, [](const Model& model) { return dynamic_cast<const C*>(&model) != nullptr; }};
}

// Without classes a classifier puts out features alone.
bool classifies(const Model& model) {
  const auto* classifier = dynamic_cast<const Classifier*>(&model);
  return classifier && classifier->classes() > 0;
}

bool regresses(const Model& model) {
  const auto* regressor = dynamic_cast<const Regressor*>(&model);
  return regressor && regressor->outputs() > 0;
}

const Entry table[] = {entry<Encoder>(),
                       {Classifier::capability, classifies},
                       {Regressor::capability, regresses},
                       entry<Decoder>(),
                       entry<Variational>(),
                       entry<Generator>()};

// What a description lacks where the model could offer the capability.
std::string remedy_for(const Model& model, std::string_view capability) {
  if (capability == Classifier::capability && dynamic_cast<const Classifier*>(&model)) {
    return "give its description the number of \"classes\"";
  }
  if (capability == Regressor::capability && dynamic_cast<const Regressor*>(&model)) {
    return "give its description the number of \"outputs\", and 0 \"classes\"";
  }
  return "choose another model";
}

}  // namespace

std::vector<std::string> capabilities(const Model& model) {
  std::vector<std::string> result;
  for (const Entry& e : table) {
    if (e.offered(model)) result.emplace_back(e.name);
  }
  return result;
}

bool offers(const Model& model, std::string_view capability) {
  return std::any_of(std::begin(table), std::end(table),
                     [&](const Entry& e) { return e.name == capability && e.offered(model); });
}

void require_capability(const Model& model, std::string_view capability, std::string_view by) {
  if (offers(model, capability)) return;
  const auto offered = capabilities(model);
  throw ConfigError(
      {std::string(by), fmt::format("a model that offers {}", capability),
       fmt::format("{}, which offers {}", quote(model.spec().name), offered.empty() ? "nothing" : join(offered)),
       remedy_for(model, capability)});
}

}  // namespace vaetl
