#include "vaetl/train/host_reads.hpp"

#include <atomic>
#include <optional>
#include <set>

#include "vaetl/core/text.hpp"

namespace vaetl {
namespace {

std::atomic<HostReads*> watching = nullptr;

// Their results have sizes, or are numbers, that the device alone knows.
const std::set<std::string, std::less<>> waiting_operators = {"_local_scalar_dense",
                                                              "equal",
                                                              "nonzero",
                                                              "masked_select",
                                                              "_unique2",
                                                              "unique_dim",
                                                              "_unique",
                                                              "bincount",
                                                              "unique_consecutive",
                                                              "unique_dim_consecutive",
                                                              "histc",
                                                              "is_nonzero"};

// Between two devices, the first of which it reads.
const std::set<std::string, std::less<>> copying_operators = {"copy_", "_to_copy"};

std::string operator_name(const at::RecordFunction& function) {
  const std::string name = function.name();
  const auto colons = name.rfind("::");
  return colons == std::string::npos ? name : name.substr(colons + 2);
}

std::optional<c10::Device> device_of_argument(const c10::IValue& value) {
  if (value.isTensor() && value.toTensor().defined()) return value.toTensor().device();
  return value.isDevice() ? std::optional(value.toDevice()) : std::nullopt;
}

bool between_devices(c10::ArrayRef<const c10::IValue> inputs) {
  std::set<c10::DeviceType> seen;
  for (const c10::IValue& input : inputs) {
    if (const auto device = device_of_argument(input)) seen.insert(device->type());
  }
  return seen.size() > 1;
}

}  // namespace

HostReads::HostReads()
    : handle_(at::addThreadLocalCallback(
          at::RecordFunctionCallback(on_start).scopes({at::RecordScope::FUNCTION}).needsInputs(true))) {
  watching = this;
}

HostReads::~HostReads() {
  at::removeCallback(handle_);
  watching = nullptr;
}

std::string HostReads::found() const {
  const std::lock_guard lock(mutex_);
  return found_;
}

std::unique_ptr<at::ObserverContext> HostReads::on_start(const at::RecordFunction& function) {
  if (HostReads* reads = watching) reads->note(function);
  return nullptr;
}

void HostReads::note(const at::RecordFunction& function) {
  const std::string name = operator_name(function);
  const bool waits = waiting_operators.contains(name);
  if (!waits && !(copying_operators.contains(name) && between_devices(function.inputs()))) return;
  const std::lock_guard lock(mutex_);
  if (!found_.empty()) return;
  found_ = fmt::format("calls {}, which {}", name, waits ? "waits for the device" : "goes between host and device");
}

}  // namespace vaetl
