#include "vaetl/train/trainer.hpp"

#include "vaetl/core/denormals.hpp"
#include "vaetl/train/session.hpp"

namespace vaetl {

void TrainerOptions::validate() const {
  if (ema_decay == 0 || swa_from == 0) return;
  throw ConfigError(
      {"trainer.swa_from", "one rule for the averaged weights", "ema_decay besides", "leave one of them out"});
}

Trainer::Trainer(TrainerOptions options, std::vector<std::shared_ptr<Callback>> callbacks)
    : options_(std::move(options)), callbacks_(std::move(callbacks)) {
  // What C++ sets directly obeys the same rules as what a recipe says.
  from_json<TrainerOptions>(to_json(options_), "trainer");
}

std::vector<std::string> Trainer::check(std::shared_ptr<Model> model, std::shared_ptr<Objective> objective,
                                        const Pipeline& data, const Tuning& tuning,
                                        const std::vector<std::string>& validation_metrics) {
  TrainerOptions options = options_;
  options.checks = true;
  options.directory.clear();
  options.resume = "never";
  options.on_divergence = "stop";
  const std::vector<std::shared_ptr<Callback>> nobody;
  const Session session(options, nobody, {model, std::move(objective), data, tuning, validation_metrics});
  for (auto& parameter : model->parameters()) parameter.requires_grad_(true);
  model->eval();
  return session.warnings();
}

Run Trainer::fit(std::shared_ptr<Model> model, std::shared_ptr<Objective> objective, const Pipeline& data,
                 const Tuning& tuning, const std::vector<std::string>& validation_metrics) {
  const FlushDenormals flush;
  return Session(options_, callbacks_, {std::move(model), std::move(objective), data, tuning, validation_metrics})
      .run();
}

}  // namespace vaetl
