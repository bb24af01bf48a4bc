#include "apps/support/progress_callback.hpp"

#include <cstdio>
#include <optional>

#include "vaetl/core/progress.hpp"

namespace vaetl::apps {
namespace {

constexpr std::string_view validation = "validation.";

class ShowProgress final : public Callback {
 public:
  explicit ShowProgress(std::string label) : label_(std::move(label)) {}

  void on_begin(Progress& p) override {
    bar_.emplace(label_, p.steps, "step");
    bar_->start_at(p.step);
  }
  void on_step(Progress& p) override { bar_->update(p.step, note(p)); }
  void on_log(Progress& p) override {
    if (const auto loss = p.scalars.find("loss"); loss != p.scalars.end()) {
      loss_ = fmt::format("  loss {:.4g}", loss->second);
    }
    bar_->update(p.step, note(p));
  }
  void on_epoch(Progress& p) override {
    validation_.clear();
    for (const auto& [name, value] : p.scalars) {
      if (name.starts_with(validation))
        validation_ += fmt::format("  {} {:.4g}", name.substr(validation.size()), value);
    }
    bar_->update(p.step, note(p));
  }
  void on_notice(Progress& p) override {
    if (bar_) return bar_->print(p.notice);
    std::fprintf(stderr, "%s\n", p.notice.c_str());
  }
  void on_end(Progress&) override { bar_.reset(); }

 private:
  std::string note(const Progress& p) const {
    const std::int64_t epochs = p.steps_per_epoch > 0 ? (p.steps + p.steps_per_epoch - 1) / p.steps_per_epoch : 0;
    if (p.steps == 0) return "nothing is trained" + validation_;
    return fmt::format("epoch {}/{}{}{}", p.epoch + 1, epochs, loss_, validation_);
  }

  std::string label_, loss_, validation_;
  std::optional<ProgressBar> bar_;
};

}  // namespace

std::shared_ptr<Callback> show_progress(const std::string& label) { return std::make_shared<ShowProgress>(label); }

}  // namespace vaetl::apps
