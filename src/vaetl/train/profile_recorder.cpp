#include "vaetl/train/profile_recorder.hpp"

#include <c10/util/Logging.h>
#include <fmt/format.h>

#include "vaetl/core/memory.hpp"

namespace vaetl {
namespace {

constexpr std::string_view step_phases[] = {"data", "forward", "backward", "optimiser"};

bool is_phase(const at::RecordFunction& function) {
  return function.scope() == at::RecordScope::USER_SCOPE &&
         std::find(std::begin(step_phases), std::end(step_phases), function.name()) != std::end(step_phases);
}

double seconds_of(std::chrono::steady_clock::duration time) { return std::chrono::duration<double>(time).count(); }

double microseconds_of(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

thread_local void* innermost_call = nullptr;  // of this thread; calls of a thread are nested

}  // namespace

StepRecorder* StepRecorder::active() {
  return static_cast<StepRecorder*>(c10::ThreadLocalDebugInfo::get(c10::DebugInfoKind::PROFILER_STATE));
}

void StepRecorder::start() {
  // LibTorch warns of every block that is freed now and was allocated before.
  log_level_ = std::exchange(FLAGS_caffe2_log_level, c10::GLOG_ERROR);
  guard_.emplace(c10::DebugInfoKind::PROFILER_STATE, shared_from_this());
  handle_ = at::addThreadLocalCallback(
      at::RecordFunctionCallback(on_start, on_end).scopes({at::RecordScope::FUNCTION, at::RecordScope::USER_SCOPE}));
  innermost_call = nullptr;
  begin_ = Clock::now();
}

void StepRecorder::stop() {
  if (!guard_) return;
  end_ = Clock::now();
  at::removeCallback(handle_);
  guard_.reset();
  FLAGS_caffe2_log_level = log_level_;
}

std::unique_ptr<at::ObserverContext> StepRecorder::on_start(const at::RecordFunction& function) {
  StepRecorder* recorder = active();
  return recorder ? recorder->begin(function) : nullptr;
}

void StepRecorder::on_end(const at::RecordFunction& function, at::ObserverContext* context) {
  StepRecorder* recorder = active();
  if (recorder && context) recorder->end(function, static_cast<Call&>(*context));
}

// Operators are "aten::mm", "vaetl::…"; what autograd calls itself ("autograd::engine::…", "MmBackward0") is neither.
std::unique_ptr<StepRecorder::Call> StepRecorder::begin(const at::RecordFunction& function) {
  const bool phase = is_phase(function);
  const std::string_view name = function.name();
  const bool called = function.scope() == at::RecordScope::FUNCTION && name.find("::") != std::string_view::npos &&
                      !name.starts_with("autograd::");
  if (!phase && !called) return nullptr;
  auto call = std::make_unique<Call>();
  {
    const std::scoped_lock lock(mutex_);
    const auto [found, fresh] = index_.try_emplace(std::string(name), names_.size());
    if (fresh) names_.emplace_back(name);
    call->name = found->second;
  }
  call->phase = phase;
  call->parent = static_cast<Call*>(innermost_call);
  innermost_call = call.get();
  call->begin = Clock::now();
  return call;
}

void StepRecorder::end(const at::RecordFunction& function, Call& call) {
  const Clock::duration all = Clock::now() - call.begin;
  innermost_call = call.parent;
  if (call.parent) {
    call.parent->children += all;
    if (!call.phase) ++call.parent->operators;
  }
  const std::scoped_lock lock(mutex_);
  events_.push_back(
      {call.name, call.phase, function.threadId(), call.begin, all, all - call.children, call.operators == 0});
}

void StepRecorder::reportMemoryUsage(void* /*pointer*/, std::int64_t size, std::size_t /*total*/,
                                     std::size_t /*reserved*/, c10::Device /*device*/) {
  const std::scoped_lock lock(mutex_);
  held_ += size;
  peak_ = std::max(peak_, held_);
  if (size <= 0) return;
  ++allocations_;
  allocated_ += size;
}

std::vector<StepProfile::Phase> StepRecorder::phases() const {
  std::vector<StepProfile::Phase> result;
  double rest = seconds_of(end_ - begin_);
  for (const std::string_view phase : step_phases) {
    double seconds = 0;
    for (const Event& event : events_) {
      if (event.phase && names_[event.name] == phase) seconds += seconds_of(event.all);
    }
    result.push_back({std::string(phase), seconds});
    rest -= seconds;
  }
  result.push_back({"other", std::max(0.0, rest)});
  return result;
}

StepProfile StepRecorder::summarise(std::int64_t steps) const {
  StepProfile profile{.steps = steps, .seconds = seconds_of(end_ - begin_), .phases = phases()};
  std::map<std::string, StepProfile::Operator> operators;
  std::int64_t calls = 0, kernels = 0;
  for (const Event& event : events_) {
    if (event.phase) continue;
    auto& one = operators[names_[event.name]];
    ++one.calls;
    one.seconds += seconds_of(event.own);
    ++calls;
    if (event.leaf) ++kernels;
  }
  for (auto& [name, one] : operators) {
    one.name = name;
    profile.operators.push_back(one);
  }
  std::stable_sort(profile.operators.begin(), profile.operators.end(),
                   [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  const auto a_step = [&](std::int64_t count) {
    return static_cast<double>(count) / static_cast<double>(std::max<std::int64_t>(1, steps));
  };
  profile.operator_calls = a_step(calls);
  profile.kernels = a_step(kernels);
  profile.allocations = a_step(allocations_);
  profile.allocated_bytes = a_step(allocated_);
  profile.peak_bytes = peak_;
  profile.peak_memory_mb = peak_memory_mb();
  profile.trace = trace();
  return profile;
}

// Trace event format: complete events ("X") in microseconds; nesting follows from time.
std::string StepRecorder::trace() const {
  std::string text = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n";
  text += R"({"name": "process_name", "ph": "M", "pid": 1, "args": {"name": "vaetl"}})";
  for (const Event& event : events_) {
    text += fmt::format(
        ",\n{{\"name\": {}, \"cat\": \"{}\", \"ph\": \"X\", \"pid\": 1, \"tid\": {}, \"ts\": {:.3f}, "
        "\"dur\": {:.3f}}}",
        Json(names_[event.name]).dump(), event.phase ? "phase" : "operator", event.thread,
        microseconds_of(event.begin - begin_), microseconds_of(event.all));
  }
  return text + "\n]}\n";
}

}  // namespace vaetl
