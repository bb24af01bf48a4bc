// Session: a loss or weights that are not finite. The steps from the last checkpoint are pure functions of their
// number, so that they can be done again to see which gradients were the first.
#include "vaetl/train/session.hpp"

namespace vaetl {
namespace {

constexpr std::int64_t kMostRewinds = 10;  // halvings: a thousandth of the rate
constexpr std::int64_t kMostRepeated = 1000;

}  // namespace

void Session::read_ledger() {
  if (const auto bad = ledger_.flush()) diverged(fmt::format("{} = {}", bad->name, bad->value), bad->step);
}

// A checkpoint is good: what it holds is finite, not only the losses that led to it.
void Session::check_weights() {
  const std::string bad = step_ > 0 ? weights_not_finite(*task_.model) : "";
  if (!bad.empty()) diverged("weights that are not finite after it", step_ - 1);
}

void Session::diverged(const std::string& found, std::int64_t step) {
  const std::string culprit = look_back(step);
  throw DivergedError({"training", "a finite loss",
                       fmt::format("{} at step {} (epoch {}){}", found, step + 1, step / steps_per_epoch_,
                                   culprit.empty() ? "" : "; not finite: " + culprit),
                       kept("last") ? "lower the learning rate; the last good checkpoint is " + folder("last").string()
                                    : "lower the learning rate; no checkpoint was kept"});
}

// What was not finite at a step or before it: its data, or else the first gradients since the last checkpoint, or else,
// where there is none near, the weights as they are now. Leaves the session anywhere between.
std::string Session::look_back(std::int64_t step) {
  writer_->wait();
  for (const Batch& batch : next_batches(step / steps_per_epoch_, step % steps_per_epoch_)) {
    if (auto data = data_not_finite(batch); !data.empty()) return data;
  }
  const std::string weights = weights_not_finite(*task_.model);
  if (!kept("last")) return weights;
  restore("last");
  if (step_ > step || step - step_ > kMostRepeated) return weights;
  autopsy_.emplace();
  for (; step_ <= step && autopsy_->finding().empty(); ++step_) {
    begin_step();
    do_updates(epoch_, step_ % steps_per_epoch_);
  }
  (void)ledger_.flush();
  const std::string gradients = std::exchange(autopsy_, std::nullopt)->finding();
  return gradients.empty() ? weights : gradients;
}

// When an entry of the history falls is decided by the steps alone; when checkpoints/last was written, by time and
// signals too. So a run goes back to the same step whatever happened to it: also one that was killed after this and is
// resumed diverges again, and comes back here.
void Session::keep_rewind_point() {
  if (options_.on_divergence != "rewind") return;
  check_weights();
  writer_->make_room();
  auto snapshot = std::make_shared<Snapshot>(take_snapshot(trained(), state()));
  writer_->add([snapshot, to = folder("rewind")] { write_snapshot(to, *snapshot); });
}

bool Session::may_rewind() const {
  return options_.on_divergence == "rewind" && run_.rewinds < kMostRewinds && kept("rewind");
}

void Session::rewind(const DivergedError& error) {
  writer_->wait();
  restore("rewind");
  ++run_.rewinds;
  follow_history();
  save();  // before any rewind point of the new way: checkpoints/last is never of a way that was given up
  tell(fmt::format("{}; back to step {}, at 1/{} of the rate", error.problem.found, step_, 1 << run_.rewinds));
}

}  // namespace vaetl
