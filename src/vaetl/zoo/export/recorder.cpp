#include "vaetl/zoo/export/recorder.hpp"

#include <ATen/core/function_schema.h>

#include <algorithm>

#include "vaetl/core/error.hpp"
#include "vaetl/core/text.hpp"

namespace vaetl::zoo::exporting {
namespace {

thread_local Recorder* recording = nullptr;

// What they put out is filled by other means than operators, or drawn: a constant, if it is the same in every run.
const std::set<std::string, std::less<>> without_content = {
    "empty", "empty_like", "empty_strided", "new_empty",  "new_empty_strided", "rand",
    "randn", "randint",    "rand_like",     "randn_like", "randperm",          "bernoulli"};

// "relu_" computes what "relu" does.
std::string functional_name(const std::string& name) {
  const bool in_place = name.size() > 1 && name.ends_with('_') && !name.ends_with("__");
  return in_place ? name.substr(0, name.size() - 1) : name;
}

std::string without_namespace(const std::string& name) {
  const auto colons = name.rfind("::");
  return colons == std::string::npos ? name : name.substr(colons + 2);
}

Sizes plain_sizes(at::IntArrayRef values) {
  Sizes result;
  for (const std::int64_t value : values) result.push_back({value});
  return result;
}

bool is_tensor_or_none(const c10::IValue& value) { return value.isTensor() || value.isNone(); }

void collect_tensors(const c10::IValue& value, std::vector<at::Tensor>& tensors) {
  if (value.isTensor()) {
    tensors.push_back(value.toTensor());
  } else if (value.isTensorList()) {
    for (const at::Tensor& each : value.toTensorVector()) tensors.push_back(each);
  }
}

// One number stands for each of several: a stride of 2 for {2, 2}.
bool same_numbers(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  if (a.empty() || b.empty()) return false;
  const auto equal = [&](std::int64_t value) { return value == a[0]; };
  return std::all_of(a.begin(), a.end(), equal) && std::all_of(b.begin(), b.end(), equal);
}

bool is_default(const c10::Argument& argument, const c10::IValue& value) {
  const auto& otherwise = argument.default_value();
  if (!otherwise) return false;
  if (value.isIntList() && otherwise->isIntList() && same_numbers(value.toIntVector(), otherwise->toIntVector())) {
    return true;
  }
  return !value.isTensor() && !value.isTensorList() && value == *otherwise;
}

}  // namespace

struct Recorder::Call final : at::ObserverContext {
  bool outermost = false, ready = false, drops_content = false;
  Op op;
  std::vector<at::Tensor> written;
};

Recorder::Recorder(const Weights& weights) {
  for (const auto& [name, tensor] : weights) {
    if (!known_.contains(tensor.unsafeGetTensorImpl())) define(tensor, Value::Kind::weight, name);
  }
}

Recorder::~Recorder() { stop(); }

void Recorder::add_input(const std::string& name, const at::Tensor& value) {
  graph_.inputs.push_back(define(value, Value::Kind::input, name));
}

void Recorder::start() {
  recording = this;
  started_ = true;
  handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(on_start, on_end)
                                           .scopes({at::RecordScope::FUNCTION})
                                           .needsInputs(true)
                                           .needsOutputs(true));
}

void Recorder::stop() {
  if (!started_) return;
  at::removeCallback(handle_);
  recording = nullptr;
  started_ = false;
}

Graph Recorder::finish(const at::Tensor& output) {
  stop();
  graph_.output = read(output);
  if (problem_.empty()) return std::move(graph_);
  throw ConfigError({"export", "a model that computes with operators of LibTorch alone", problem_, {}});
}

std::unique_ptr<at::ObserverContext> Recorder::on_start(const at::RecordFunction& function) {
  return recording ? recording->begin(function) : nullptr;
}

void Recorder::on_end(const at::RecordFunction& function, at::ObserverContext* context) {
  if (recording && context) recording->end(function, static_cast<Call&>(*context));
}

// Exceptions do not get through LibTorch's dispatcher from here: what is wrong is kept for the end.
std::unique_ptr<Recorder::Call> Recorder::begin(const at::RecordFunction& function) {
  auto call = std::make_unique<Call>();
  call->outermost = depth_++ == 0;
  if (!call->outermost) return call;
  const auto schema = function.operator_schema();
  if (!schema || !schema->name().starts_with("aten::")) {
    if (problem_.empty()) problem_ = std::string("the operator ") + function.name();
    return call;
  }
  call->op.name = functional_name(without_namespace(schema->name()));
  call->drops_content = without_content.contains(call->op.name);
  read_arguments(*schema, function.inputs(), *call);
  call->ready = true;
  return call;
}

void Recorder::end(const at::RecordFunction& function, Call& call) {
  --depth_;
  if (!call.ready || call.drops_content) return;
  std::vector<at::Tensor> outputs;
  for (const c10::IValue& value : function.outputs()) collect_tensors(value, outputs);
  if (!outputs.empty()) write_outputs(outputs, call);
}

void Recorder::read_arguments(const c10::FunctionSchema& schema, c10::ArrayRef<const c10::IValue> inputs, Call& call) {
  const auto& arguments = schema.arguments();
  if (call.op.name == "fill" || call.op.name == "zero") return read_filling(inputs, call);
  for (std::size_t i = 0; i < inputs.size() && i < arguments.size(); ++i) {
    const auto* alias = arguments[i].alias_info();
    if (alias && alias->isWrite() && inputs[i].isTensor()) will_overwrite(inputs[i].toTensor(), call);
    call.op.arguments.push_back({arguments[i].name(), call.drops_content ? Argument() : argument(inputs[i]),
                                 is_default(arguments[i], inputs[i]), arguments[i].kwarg_only()});
  }
}

// The example of what was there before is kept.
void Recorder::will_overwrite(const at::Tensor& tensor, Call& call) {
  call.written.push_back(tensor);
  Value& before = graph_[read(tensor)];
  if (before.kind == Value::Kind::weight && problem_.empty()) problem_ = "one that changes " + quote(before.name);
  if (before.kind != Value::Kind::input) before.example = tensor.clone();
}

// Whatever was there before, it is a full tensor afterwards.
void Recorder::read_filling(c10::ArrayRef<const c10::IValue> inputs, Call& call) {
  const at::Tensor self = inputs[0].toTensor();
  call.written.push_back(self);
  call.op.name = "full";
  call.op.arguments = {{"size", plain_sizes(self.sizes())},
                       {"fill_value", inputs.size() > 1 ? argument(inputs[1]) : Argument(Size{0})}};
}

void Recorder::write_outputs(const std::vector<at::Tensor>& outputs, Call& call) {
  for (const at::Tensor& tensor : call.written) overwritten(tensor);
  for (const at::Tensor& output : outputs) {
    call.op.outputs.push_back(output.defined() ? define(output, Value::Kind::computed)
                                               : define(at::Tensor(), Value::Kind::computed));
  }
  graph_.ops.push_back(std::move(call.op));
}

Argument Recorder::argument(const c10::IValue& value) {
  if (value.isTensor()) {
    return value.toTensor().defined() ? Argument(read(value.toTensor())) : Argument(std::monostate());
  }
  if (value.isInt()) return Size{value.toInt()};
  if (value.isIntList()) return plain_sizes(value.toIntVector());
  if (value.isBool()) return value.toBool();
  if (value.isDouble()) return value.toDouble();
  if (value.isDoubleList()) return value.toDoubleVector();
  if (value.isString()) return value.toStringRef();
  if (!value.isList()) return std::monostate();  // none, a device, a generator
  const auto list = value.toListRef();
  if (!std::all_of(list.begin(), list.end(), is_tensor_or_none)) return std::monostate();
  Refs refs;
  for (const c10::IValue& each : list) {
    refs.push_back(each.isTensor() && each.toTensor().defined() ? std::optional(read(each.toTensor())) : std::nullopt);
  }
  return refs;
}

Ref Recorder::read(const at::Tensor& tensor) {
  const auto* key = tensor.unsafeGetTensorImpl();
  if (stale_.contains(key) && problem_.empty()) problem_ = "a tensor that was changed by way of another";
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  return define(tensor, Value::Kind::constant);
}

// A constant's memory may be filled anew later.
Ref Recorder::define(const at::Tensor& tensor, Value::Kind kind, const std::string& name) {
  const Ref ref{graph_.values.size()};
  Value value{.kind = kind, .name = name, .layer = {}};
  if (tensor.defined()) {
    kept_.push_back(tensor);
    known_.insert_or_assign(tensor.unsafeGetTensorImpl(), ref);
    stale_.erase(tensor.unsafeGetTensorImpl());
    value.shape = plain_sizes(tensor.sizes());
    value.example = kind == Value::Kind::constant ? tensor.clone() : tensor;
  }
  graph_.values.push_back(std::move(value));
  return ref;
}

void Recorder::overwritten(const at::Tensor& tensor) {
  for (const at::Tensor& other : kept_) {
    if (other.unsafeGetTensorImpl() != tensor.unsafeGetTensorImpl() && other.is_alias_of(tensor)) {
      stale_.insert(other.unsafeGetTensorImpl());
    }
  }
}

}  // namespace vaetl::zoo::exporting
