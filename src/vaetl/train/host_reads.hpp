// What keeps a step from being captured (core/device_graph.hpp): operators that read a value of the device's, or bring
// one from the host. Internal to train.
//
//   const HostReads reads;
//   step();
//   reads.found();   // "calls _local_scalar_dense, which waits for the device"; empty: nothing
#pragma once
#include <ATen/record_function.h>

#include <mutex>
#include <string>

namespace vaetl {

// Watches this thread and those that its backward passes run on. One at a time.
class HostReads {
 public:
  HostReads();
  ~HostReads();
  HostReads(const HostReads&) = delete;
  HostReads& operator=(const HostReads&) = delete;
  std::string found() const;

 private:
  static std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function);
  void note(const at::RecordFunction& function);

  mutable std::mutex mutex_;
  std::string found_;  // the first
  at::CallbackHandle handle_ = 0;
};

}  // namespace vaetl
