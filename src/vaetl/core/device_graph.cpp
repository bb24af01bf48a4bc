#include "vaetl/core/device_graph.hpp"

#include <map>

#ifdef VAETL_WITH_CUDA
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace vaetl {
namespace {

#ifdef VAETL_WITH_CUDA
class CudaGraph final : public DeviceGraph {
 public:
  // Other threads may allocate meanwhile, as those that prepare batches do.
  void begin(at::MempoolId_t pool) { graph_.capture_begin(pool, cudaStreamCaptureModeThreadLocal); }
  void end() { graph_.capture_end(); }
  void replay() override { graph_.replay(); }

 private:
  at::cuda::CUDAGraph graph_;
};

// What the current stream has been given comes first, and what it is given afterwards waits.
class CudaGraphs final : public DeviceGraphs {
 public:
  explicit CudaGraphs(c10::Device device)
      : device_(device), stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())) {}

  void run(c10::function_ref<void()> work) override {
    const c10::cuda::CUDAGuard on(device_);
    const c10::cuda::CUDAStream current = c10::cuda::getCurrentCUDAStream();
    at::cuda::CUDAEvent before, after;
    before.record(current);
    before.block(stream_);
    {
      const c10::cuda::CUDAStreamGuard guard(stream_);
      work();
    }
    after.record(stream_);
    after.block(current);
  }

  std::unique_ptr<DeviceGraph> capture(c10::function_ref<void()> work) override {
    auto graph = std::make_unique<CudaGraph>();
    run([&] {
      c10::cuda::device_synchronize();
      c10::cuda::CUDACachingAllocator::emptyCache();  // of what warming up took: the graphs have memory of their own
      graph->begin(pool_);
      try {
        work();
      } catch (...) {
        abandon(*graph);
        throw;
      }
      graph->end();
    });
    return graph;
  }

 private:
  // The allocator would go on giving to the graph. What the device refused in the capture is thrown again by its end.
  void abandon(CudaGraph& graph) {
    try {
      graph.end();
    } catch (const c10::Error&) {
      c10::cuda::CUDACachingAllocator::endAllocateToPool(device_.index(), pool_);
    }
  }

  c10::Device device_;
  c10::cuda::CUDAStream stream_;
  at::MempoolId_t pool_ = at::cuda::graph_pool_handle();
};

std::unique_ptr<DeviceGraphs> make_cuda_graphs(c10::Device device) { return std::make_unique<CudaGraphs>(device); }
#endif

std::map<c10::DeviceType, MakeDeviceGraphs>& graph_makers() {
  static std::map<c10::DeviceType, MakeDeviceGraphs> makers = {
#ifdef VAETL_WITH_CUDA
      {c10::kCUDA, make_cuda_graphs},
#endif
  };
  return makers;
}

}  // namespace

std::unique_ptr<DeviceGraphs> make_device_graphs(c10::Device device) {
  const auto found = graph_makers().find(device.type());
  return found == graph_makers().end() ? nullptr : found->second(device);
}

void set_device_graphs(c10::DeviceType type, MakeDeviceGraphs make) {
  if (make)
    graph_makers()[type] = make;
  else
    graph_makers().erase(type);
}

}  // namespace vaetl
