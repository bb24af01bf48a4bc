// One update over one batch, as objectives and metrics see it. It computes encodings at most once a stream, so terms
// may be added freely; streams pass separately, so batch norm sees one domain at a time.
#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vaetl/core/batch.hpp"
#include "vaetl/core/schedule.hpp"
#include "vaetl/nn/capabilities.hpp"
#include "vaetl/nn/schedule_values.hpp"

namespace vaetl {

// What an objective or a metric needs; checked with the data and the model before anything is trained.
struct Needs {
  std::vector<std::string> capabilities = {}, streams = {"train"};
  std::vector<std::string> fields = {};  // of the first stream; "input" where the raw input itself is read
  std::int64_t views = 1;
  bool mixed = false;  // reads "target.other" and "mix" beside "target": what mixup and cutmix make of labels
  std::vector<std::string> taps = {};  // layer groups, by pattern, whose outputs it reads: Pass::outputs
};

struct PassOptions {
  double progress = 0;                   // share of the training done, in [0, 1]
  bool first_in_epoch = false;           // batch
  Span span = {};                        // of the training: schedules may be in epochs or steps
  std::span<const Batch> together = {};  // of the update, this one among them; empty: this one alone
  at::ScalarType precision = at::kFloat;
  bool ahead = false;
  ScheduleValues* values = nullptr;  // where the values of schedules are kept for a step that is captured
};

class Pass {
 public:
  Pass(Model& model, const Batch& batch, PassOptions options = {}) : model_(model), batch_(batch), options_(options) {}

  Model& model() { return model_; }
  const Fields& fields(std::string_view stream = "train") const;  // DataError lists the streams there are
  // Memoised: encode(), or the stream's "features" field where the frozen part was computed before.
  const at::Tensor& features(std::string_view stream = "train");
  // Layer group → what it put out (nn/taps.hpp) when the features were computed; of the groups given to tap(), which
  // whoever computes the terms calls first.
  const std::map<std::string, at::Tensor, std::less<>>& outputs(std::string_view stream = "train");
  void tap(std::vector<std::string> groups) { tapped_ = std::move(groups); }
  const at::Tensor& view_features(std::string_view stream = "train");  // (V N, F): all views in one pass, view by view
  const at::Tensor& logits(std::string_view stream = "train");
  const at::Tensor& predictions(std::string_view stream = "train");  // of a Regressor, (N, O)
  const Gaussian& posterior(std::string_view stream = "train");
  // Where rebuild() (nn/rebuild.hpp) keeps what it made, without gradients alone: metrics share it.
  std::shared_ptr<Likelihood>& rebuilt(std::string_view stream) { return rebuilt_[std::string(stream)]; }
  at::Tensor condition(std::string_view stream = "train");  // undefined where the model is not conditional
  // Rule 5, the one place that reduces: per_example (N) → its mean, weighted by the stream's "weight" where it has one.
  // Where several batches make one update, the average of their means is the mean over all their examples.
  at::Tensor mean(const at::Tensor& per_example, std::string_view stream = "train") const;
  // The same for sums of several values an example, with their number as the field `counts` (such as "length"): all
  // values weigh alike, Σ w sums / Σ w counts.
  at::Tensor mean_counted(const at::Tensor& sums, std::string_view counts, std::string_view stream = "train") const;
  at::Tensor value(const Schedule& schedule) const;  // 0-dim, on the model's device
  // Share of the training done, in [0, 1]: a number of the host's, so that a step that reads it cannot be captured.
  double progress() const;
  bool first_in_epoch() const { return options_.first_in_epoch; }
  at::ScalarType precision() const { return options_.precision; }  // that terms are computed in (nn/autocast.hpp)
  // The next update follows at once, on the same batch: what it trains records its graph already, and may be computed
  // here for both. Detached it serves this update, whose backward must not reach it.
  bool ahead() const { return options_.ahead; }

 private:
  at::Tensor total(std::string_view stream, std::string_view counts, at::ScalarType type) const;

  Model& model_;
  const Batch& batch_;
  PassOptions options_;
  std::map<std::string, at::Tensor, std::less<>> features_, view_features_, logits_, predictions_;
  std::map<std::string, Gaussian, std::less<>> posterior_;
  std::map<std::string, std::shared_ptr<Likelihood>, std::less<>> rebuilt_;
  std::vector<std::string> tapped_;
  std::map<std::string, std::map<std::string, at::Tensor, std::less<>>, std::less<>> outputs_;
};

c10::Device device_of(const torch::nn::Module& module);  // of its first parameter; the CPU without any

}  // namespace vaetl
