#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <chrono>

#include "apps/doctor/examine.hpp"
#include "vaetl/core/random.hpp"
#include "vaetl/core/text.hpp"
#include "vaetl/objectives/cross_entropy.hpp"
#include "vaetl/train/trainer.hpp"

namespace vaetl::apps {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// How often `work` was done in `seconds`, after once to warm up: the best of parts of a tenth, so that a neighbour's
// moment counts for less.
template <class Work>
double best_rate(double seconds, const Work& work) {
  work();
  double best = 0;
  const auto start = Clock::now();
  while (seconds_since(start) < seconds) {
    const auto part = Clock::now();
    std::int64_t count = 0;
    for (; seconds_since(part) < seconds / 10; ++count) work();
    best = std::max(best, static_cast<double>(count) / seconds_since(part));
  }
  return best;
}

// On `threads` threads; afterwards as before.
template <class Work>
auto with_threads(int threads, const Work& work) {
  const int before = at::get_num_threads();
  at::set_num_threads(threads);
  const auto result = work();
  at::set_num_threads(before);
  return result;
}

// GFLOP/s of products of square float32 matrices: what training could reach at most.
double product_limit(double seconds) {
  constexpr std::int64_t side = 1024;
  const at::Tensor a = at::rand({side, side}), b = at::rand({side, side});
  at::Tensor c = at::empty({side, side});
  return best_rate(seconds, [&] { at::mm_out(c, a, b); }) * 2 * side * side * side / 1e9;
}

double copy_rate(double seconds) {
  const at::Tensor from = at::zeros({1 << 24});
  at::Tensor to = at::zeros({1 << 24});
  return best_rate(seconds, [&] { to.copy_(from); }) * 2 * 4 * (1 << 24) / 1e9;
}

// Ends a training after some seconds and counts its steps from the tenth on.
class ForSeconds final : public Callback {
 public:
  explicit ForSeconds(double seconds) : seconds_(seconds) {}
  void on_step(Progress& progress) override {
    if (progress.step == warm_up) start_ = Clock::now();
    if (progress.step <= warm_up) return;
    rate_ = static_cast<double>(progress.step - warm_up) / seconds_since(start_);
    progress.stop = seconds_since(start_) > seconds_;
  }
  double steps_a_second() const { return rate_; }

 private:
  static constexpr std::int64_t warm_up = 10;
  double seconds_, rate_ = 0;
  Clock::time_point start_;
};

// A network and the operations of a step per example, forwards and backwards (2 for a multiplication with its addition;
// the gradient of the input is not computed).
struct Workload {
  const char* name;
  Json model;
  std::int64_t batch;
  double operations;
};

std::vector<Workload> workloads() {
  const auto products = [](double first, double rest) { return 2 * (2 * first + 3 * rest); };
  return {{"training mlp 784-128-10, batch 64",
           {{"name", "mlp"}, {"input", {1, 28, 28}}, {"widths", {128}}, {"classes", 10}},
           64,
           products(784 * 128, 128 * 10)},
          {"training cnn 32-64-256 on 28x28, batch 64",
           {{"name", "cnn"}, {"input", {1, 28, 28}}, {"channels", {32, 64}}, {"dense", {256}}, {"classes", 10}},
           64,
           products(784.0 * 32 * 9, 196.0 * 64 * 32 * 9 + 3136 * 256 + 256 * 10)}};
}

Dataset noise(std::int64_t count) {
  auto generator = make_generator(0);
  Fields fields;
  fields.set("input", at::randint(0, 256, {count, 1, 28, 28}, generator, at::TensorOptions(at::kByte)));
  fields.set("target", at::randint(0, 10, {count}, generator, at::TensorOptions(at::kLong)));
  return Dataset::from_tensors(fields, {.name = "noise"});
}

// Examples a second through the Trainer.
double training_rate(const Workload& workload, double seconds) {
  seed(0);
  Json options = workload.model;
  const std::string name = options.at("name");
  options.erase("name");
  auto timer = std::make_shared<ForSeconds>(seconds);
  Trainer(
      {.steps = 1'000'000'000, .batch_size = workload.batch, .device = "cpu", .log_every = 1 << 30, .checks = false},
      {timer})
      .fit(build({name, options}), make<objectives::CrossEntropy>(), noise(4096));
  return timer->steps_a_second() * static_cast<double>(workload.batch);
}

}  // namespace

std::vector<Speed> measure_speed(double seconds) {
  const int all = at::get_num_threads();
  const std::vector<int> counts = all > 1 ? std::vector<int>{1, all} : std::vector<int>{1};
  const double part = seconds / (1 + 4 * static_cast<double>(counts.size()));
  std::vector<Speed> speeds;
  std::map<int, double> limit;
  for (const int threads : counts) {
    limit[threads] = with_threads(threads, [&] { return product_limit(2 * part); });
    speeds.push_back({"products of matrices, 1024 x 1024", threads, limit[threads], "GFLOP/s", 0});
  }
  speeds.push_back({"copying memory", all, copy_rate(part), "GB/s", 0});
  for (const Workload& workload : workloads()) {
    for (const int threads : counts) {
      const double rate = with_threads(threads, [&] { return training_rate(workload, part); });
      speeds.push_back({workload.name, threads, rate, "examples/s", rate * workload.operations / 1e9 / limit[threads]});
    }
  }
  return speeds;
}

std::vector<Finding> read_speed(const std::vector<Speed>& speeds) {
  std::vector<std::string> slow;
  for (std::size_t i = 1; i < speeds.size(); ++i) {
    const Speed &one = speeds[i - 1], &all = speeds[i];
    if (one.what == all.what && all.value < 1.1 * one.value) slow.push_back(all.what);
  }
  if (slow.empty()) return {};
  return {{"speed", fmt::format("{} threads are no faster than one at {}", speeds.back().threads, join(slow)),
           "--threads 1 for such models, or --threads auto, which measures; on a shared machine neighbours slow down "
           "threads that wait for one another"}};
}

}  // namespace vaetl::apps
