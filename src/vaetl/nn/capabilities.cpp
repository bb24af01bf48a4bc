#include "vaetl/nn/capabilities.hpp"

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/nn/plain_forms.hpp"
#include "vaetl/nn/restorer.hpp"

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

bool conditional(const Model& model) {
  const auto* found = dynamic_cast<const Conditional*>(&model);
  return found && found->conditions() > 0;
}

bool steps(const Model& model) {
  const auto* found = dynamic_cast<const SequenceModel*>(&model);
  return found && found->step_outputs() > 0;
}

const Entry capability_table[] = {entry<Encoder>(),
                                  {Classifier::capability, classifies},
                                  {Regressor::capability, regresses},
                                  {Conditional::capability, conditional},
                                  entry<Decoder>(),
                                  entry<Variational>(),
                                  entry<Generator>(),
                                  entry<Critic>(),
                                  entry<Restorer>(),
                                  {SequenceModel::capability, steps}};

// What a description lacks where the model could offer the capability.
std::string remedy_for(const Model& model, std::string_view capability) {
  if (capability == Classifier::capability && dynamic_cast<const Classifier*>(&model)) {
    return "give its description the number of \"classes\"";
  }
  if (capability == Regressor::capability && dynamic_cast<const Regressor*>(&model)) {
    return "give its description the number of \"outputs\", and 0 \"classes\"";
  }
  if (capability == Conditional::capability && dynamic_cast<const Conditional*>(&model)) {
    return "give its description the number of \"conditions\"";
  }
  return "choose another model";
}

void check_condition(const Model& model, const at::Tensor& condition, std::int64_t conditions) {
  const std::string where = "model " + quote(model.spec().name);
  if (condition.dim() != 1 || condition.scalar_type() != at::kLong) {
    throw DataError({where,
                     "a condition of shape (N), int64",
                     shape_text(condition.sizes().vec()) + ", " + dtype_name(condition.scalar_type()),
                     {}});
  }
  if (!nn::may_look_at(condition) || condition.numel() == 0) return;
  const auto least = condition.min().item<std::int64_t>(), greatest = condition.max().item<std::int64_t>();
  if (least >= 0 && greatest < conditions) return;
  throw DataError({where, fmt::format("conditions from 0 to {}", conditions - 1),
                   fmt::format("{}", least < 0 ? least : greatest), "give the model more \"conditions\""});
}

}  // namespace

std::vector<std::string> capabilities(const Model& model) {
  std::vector<std::string> result;
  for (const Entry& e : capability_table) {
    if (e.offered(model)) result.emplace_back(e.name);
  }
  return result;
}

bool offers(const Model& model, std::string_view capability) {
  return std::any_of(std::begin(capability_table), std::end(capability_table),
                     [&](const Entry& e) { return e.name == capability && e.offered(model); });
}

at::Tensor condition_of(const Model& model, const Fields& fields) {
  if (!conditional(model)) return {};
  if (!fields.has("condition") && !fields.has("target")) {
    throw DataError({"model " + quote(model.spec().name), "a field \"condition\" or \"target\": its classes", "neither",
                     "use labelled data, or a model without \"conditions\""});
  }
  const at::Tensor& condition = fields[fields.has("condition") ? "condition" : "target"];
  check_condition(model, condition, dynamic_cast<const Conditional&>(model).conditions());
  return condition;
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
