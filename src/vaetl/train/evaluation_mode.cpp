#include "vaetl/train/evaluation_mode.hpp"

#include <ATen/Context.h>

#include "vaetl/core/random.hpp"

namespace vaetl {

EvaluationMode::EvaluationMode(Model& model) {
  for (auto& module : model.modules()) modes_.emplace_back(module, module->is_training());
  model.eval();
}

EvaluationMode::~EvaluationMode() {
  for (auto& [module, training] : modes_) module->train(training);
}

EvaluationNoise::EvaluationNoise(c10::Device device) {
  for (const c10::Device each : {c10::Device(c10::kCPU), device}) {
    at::Generator generator = at::globalContext().defaultGenerator(each);
    states_.emplace_back(generator, generator.get_state());
  }
  seed(random_key(0, Purpose::evaluate));
}

EvaluationNoise::~EvaluationNoise() {
  for (auto& [generator, state] : states_) generator.set_state(state);
}

}  // namespace vaetl
