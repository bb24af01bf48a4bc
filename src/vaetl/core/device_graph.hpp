// Work of a device that is told once and done again with one call, in place of a launch an operator: CUDA graphs, where
// LibTorch is built with CUDA.
//
//   const auto graphs = make_device_graphs(device);                 // none: this device has no such thing
//   graphs->run([&] { y.copy_(x * 2); });                           // once as it is, so that libraries are set up
//   const auto graph = graphs->capture([&] { y.copy_(x * 2); });    // computes nothing yet
//   x.copy_(next);
//   graph->replay();                                                // y = 2 next
//
// A replay works on the tensors of the capture and with its numbers: what shall change is a tensor that is written to
// beforehand. Draws from the default generator go on from how it is seeded at the replay. While work is captured it may
// read nothing of the device's and bring nothing of the host's.
#pragma once
#include <c10/core/Device.h>
#include <c10/util/FunctionRef.h>

#include <memory>

namespace vaetl {

class DeviceGraph {
 public:
  virtual ~DeviceGraph() = default;
  virtual void replay() = 0;
};

// Graphs that share memory: those captured one after the other are replayed one after the other, too.
class DeviceGraphs {
 public:
  virtual ~DeviceGraphs() = default;
  // At once, where a capture would.
  virtual void run(c10::function_ref<void()> work) = 0;
  // What work throws; c10::Error for what the device refuses: this process should capture no more then.
  virtual std::unique_ptr<DeviceGraph> capture(c10::function_ref<void()> work) = 0;
};

std::unique_ptr<DeviceGraphs> make_device_graphs(c10::Device device);

// For devices of another kind; none takes it back.
using MakeDeviceGraphs = std::unique_ptr<DeviceGraphs> (*)(c10::Device device);
void set_device_graphs(c10::DeviceType type, MakeDeviceGraphs make);

}  // namespace vaetl
