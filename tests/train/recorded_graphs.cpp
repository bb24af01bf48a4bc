#include "train/recorded_graphs.hpp"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/stack.h>
#include <torch/library.h>

#include <cstring>
#include <map>
#include <set>

namespace vaetl::testing {
namespace {

int captures = 0, replays = 0;

std::vector<at::Tensor> tensors_in(const c10::IValue& value) {
  if (value.isTensor()) return value.toTensor().defined() ? std::vector{value.toTensor()} : std::vector<at::Tensor>{};
  std::vector<at::Tensor> result;
  if (!value.isList()) return result;
  for (const c10::IValue& each : value.toListRef()) {
    if (each.isTensor() && each.toTensor().defined()) result.push_back(each.toTensor());
  }
  return result;
}

using Storages = std::set<const c10::StorageImpl*>;

const c10::StorageImpl* storage_of(const at::Tensor& tensor) { return tensor.storage().unsafeGetStorageImpl(); }

struct Call {
  c10::OperatorHandle op;
  std::vector<c10::IValue> arguments, results = {};
  bool keeps_for_gradients = at::GradMode::is_enabled();  // as operators for recurrent layers ask
  // What it returns anew: neither one of its arguments nor a view of one.
  std::vector<std::pair<std::size_t, std::vector<at::Tensor>>> fresh = {};
};

// Memory that was there before the capture, as it was.
struct Memory {
  c10::Storage storage;
  std::vector<char> bytes;
};

class RecordedGraph final : public DeviceGraph {
 public:
  void call(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack& stack) {
    TORCH_CHECK(op.schema().name() != "aten::_local_scalar_dense", "operation not permitted when stream is capturing");
    const auto& schema = op.schema();
    Call call{
        op,
        std::vector<c10::IValue>(stack.end() - static_cast<std::ptrdiff_t>(schema.arguments().size()), stack.end()),
        {}};
    const bool hides_its_writes = schema.name() == "aten::native_batch_norm";  // of running statistics
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
      const auto* alias = schema.arguments()[i].alias_info();
      if (!hides_its_writes && !(alias && alias->isWrite())) continue;
      for (const at::Tensor& written : tensors_in(call.arguments[i])) keep(written);
    }
    op.redispatchBoxed(keys & c10::DispatchKeySet(c10::DispatchKeySet::FULL_AFTER, c10::DispatchKey::Fake), &stack);
    call.results.assign(stack.end() - static_cast<std::ptrdiff_t>(schema.returns().size()), stack.end());
    note_fresh(call);
    calls_.push_back(std::move(call));
  }

  void end_capture() {
    for (auto& [storage, memory] : kept_) {
      std::memcpy(memory.storage.mutable_data(), memory.bytes.data(), memory.bytes.size());
    }
    kept_.clear();
  }

  void replay() override {
    ++replays;
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    for (const Call& call : calls_) {
      const at::AutoGradMode as_captured(call.keeps_for_gradients);
      torch::jit::Stack stack = call.arguments;
      call.op.callBoxed(stack);
      for (const auto& [place, recorded] : call.fresh) {
        const auto again = tensors_in(stack[place]);
        for (std::size_t i = 0; i < recorded.size(); ++i) at::Tensor(recorded[i]).copy_(again[i]);
      }
    }
  }

 private:
  void note_fresh(Call& call) {
    Storages given;
    for (const c10::IValue& argument : call.arguments) {
      for (const at::Tensor& tensor : tensors_in(argument)) given.insert(storage_of(tensor));
    }
    for (std::size_t i = 0; i < call.results.size(); ++i) {
      const auto tensors = tensors_in(call.results[i]);
      if (tensors.empty() || given.contains(storage_of(tensors[0]))) continue;
      for (const at::Tensor& tensor : tensors) own_.insert(storage_of(tensor));
      call.fresh.emplace_back(i, tensors);
    }
  }

  void keep(const at::Tensor& written) {
    const auto* storage = storage_of(written);
    if (own_.contains(storage) || kept_.contains(storage)) return;
    const char* bytes = static_cast<const char*>(storage->data());
    kept_.emplace(storage, Memory{written.storage(), {bytes, bytes + storage->nbytes()}});
  }

  std::vector<Call> calls_;
  Storages own_;
  std::map<const c10::StorageImpl*, Memory> kept_;
};

RecordedGraph* recording = nullptr;

void record(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
  const c10::impl::ExcludeDispatchKeyGuard once(c10::DispatchKey::Fake);
  recording->call(op, keys, *stack);
}

class RecordedGraphs final : public DeviceGraphs {
 public:
  void run(c10::function_ref<void()> work) override { work(); }
  std::unique_ptr<DeviceGraph> capture(c10::function_ref<void()> work) override {
    ++captures;
    auto graph = std::make_unique<RecordedGraph>();
    recording = graph.get();
    {
      const c10::impl::IncludeDispatchKeyGuard every_operator(c10::DispatchKey::Fake);
      work();
    }
    recording = nullptr;
    graph->end_capture();
    return graph;
  }
};

std::unique_ptr<DeviceGraphs> make_recorded_graphs(c10::Device) { return std::make_unique<RecordedGraphs>(); }

}  // namespace

TORCH_LIBRARY_IMPL(_, Fake, library) { library.fallback(torch::CppFunction::makeFromBoxedFunction<&record>()); }

GraphsOnTheCpu::GraphsOnTheCpu() { set_device_graphs(c10::kCPU, make_recorded_graphs); }
GraphsOnTheCpu::~GraphsOnTheCpu() { set_device_graphs(c10::kCPU, nullptr); }
int GraphsOnTheCpu::captured() { return captures; }
int GraphsOnTheCpu::replayed() { return replays; }

}  // namespace vaetl::testing
