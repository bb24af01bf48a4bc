// What runs between start and stop in this thread: calls of operators and phases, and allocations. Internal to train.
#pragma once
#include <ATen/record_function.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <chrono>
#include <mutex>
#include <unordered_map>

#include "vaetl/train/profile.hpp"

namespace vaetl {

class StepRecorder final : public c10::MemoryReportingInfoBase, public std::enable_shared_from_this<StepRecorder> {
 public:
  void start();  // from the thread that trains
  void stop();
  StepProfile summarise(std::int64_t steps) const;

  void reportMemoryUsage(void* pointer, std::int64_t size, std::size_t total, std::size_t reserved,
                         c10::Device device) override;
  bool memoryProfilingEnabled() const override { return true; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Call : at::ObserverContext {
    std::size_t name = 0;
    bool phase = false;
    Clock::time_point begin;
    Clock::duration children{};
    std::int64_t operators = 0;  // called from this one
    Call* parent = nullptr;
  };
  struct Event {
    std::size_t name;
    bool phase;
    std::uint64_t thread;
    Clock::time_point begin;
    Clock::duration all, own;
    bool leaf;
  };

  static StepRecorder* active();
  static std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function);
  static void on_end(const at::RecordFunction& function, at::ObserverContext* context);
  std::unique_ptr<Call> begin(const at::RecordFunction& function);
  void end(const at::RecordFunction& function, Call& call);
  std::string trace() const;
  std::vector<StepProfile::Phase> phases() const;

  std::mutex mutex_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Event> events_;
  std::int64_t allocations_ = 0, allocated_ = 0, held_ = 0, peak_ = 0;
  Clock::time_point begin_ = {}, end_ = {};
  at::CallbackHandle handle_ = 0;
  std::optional<c10::DebugInfoGuard> guard_;
  int log_level_ = 0;
};

}  // namespace vaetl
